"""AnoVAEGAN: recipe, one step in plain torch, scores by hand."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from gan_runs import assert_nearly_same_weights, assert_same_weights, train, training_data
from helpers import make_images, stages_of
from torch import Tensor, nn

from medad.detectors.adversarial.anovaegan import AnoVAEGAN
from medad.detectors.contract import plan
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.pixels import ResidentPixels, to_unit
from tests.training.machine.test_recorded import NoLooks

BOTTLENECKS = ("dense", "spatial")


def detector(**options: object) -> AnoVAEGAN:
    return make_detector("anovaegan", "tiny", device="cpu", jobs=1, **options)


def test_recipe():
    o = make_detector("anovaegan", "paper", device="cpu").options
    assert (o.width, o.latent, o.batch_size, o.lr, o.beta1, o.beta2) == (32, 128, 8, 1e-4, 0.5, 0.9)
    assert (o.dropout, o.bottleneck, o.epochs) == (0.1, "dense", 250)


def reference_step(networks: dict[str, nn.Module], rows: tuple[Tensor, ...]) -> None:
    """Make a step of the public code, its gradient's norm corrected, in plain torch."""
    vae, critic = networks.values()
    x, noise, share = rows
    for_vae, for_generator, judge = (
        torch.optim.Adam(part.parameters(), lr=1e-4, betas=(0.5, 0.9)) for part in (vae, vae.generator, critic)
    )

    def posterior() -> tuple[Tensor, Tensor]:
        features = vae.encoder(x)
        return vae.mean(features), vae.log_sigma(features)

    def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        vae.zero_grad()
        critic.zero_grad()
        loss.backward()
        optimiser.step()

    mu, log_sigma = posterior()
    out = vae.generator(mu + log_sigma.exp() * noise[:, 0])
    kl = 0.5 * (mu**2 + log_sigma.exp() ** 2 - (log_sigma.exp() ** 2).log() - 1).sum()
    descend(for_vae, ((x - out).abs().sum() + kl) / len(x))
    mu, log_sigma = (t.detach() for t in posterior())
    descend(for_generator, -critic(vae.generator(mu + log_sigma.exp() * noise[:, 1])).mean())
    for i in range(5):
        fake, e = vae.generator(mu + log_sigma.exp() * noise[:, 2 + i]).detach(), share[:, i].view(-1, 1, 1, 1)
        between = (e * x + (1 - e) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = 10 * (slope.square().sum((1, 2, 3)).sqrt() - 1).square().mean()
        descend(judge, critic(fake).mean() - critic(x).mean() + penalty)


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_a_step_is_that_of_the_public_code(tmp_path, bottleneck):
    options = {"bottleneck": bottleneck, "latent": 6, "dropout": 0.0}
    (spec,) = stages_of(detector(**options), training_data(tmp_path), tmp_path)[0]
    phase = spec.make()
    networks = copy.deepcopy(phase.networks)
    rows = phase.draw(torch.arange(8))
    assert rows[1].shape == (8, 7, *networks["vae"].code)
    phase.step(rows)
    reference_step(networks, rows)
    assert_nearly_same_weights(phase.networks, networks)


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_preparing_and_stepping_never_wait_for_the_device(tmp_path, monkeypatch, bottleneck, precision):
    monkeypatch.setattr(plan, "open_pixels", ResidentPixels)
    one = make_detector("anovaegan", "tiny", device="cpu", precision=precision, bottleneck=bottleneck)
    (spec,) = stages_of(one, training_data(tmp_path), tmp_path)[0]
    phase = spec.make()
    before = copy.deepcopy({name: network.state_dict() for name, network in phase.networks.items()})
    for _ in range(2):
        with NoLooks():
            loss = phase.step(phase.draw(torch.arange(4)))
        assert loss.isfinite()
    for name, network in phase.networks.items():
        assert any(not torch.equal(before[name][key], value) for key, value in network.state_dict().items())


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_a_stopped_training_ends_as_one_that_was_left_alone(tmp_path, bottleneck):
    make = partial(detector, bottleneck=bottleneck, batch_size=4, steps=5)
    assert_same_weights(train(make(), tmp_path / "a"), train(make(), tmp_path / "b", stops=(1, 4)))


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_scores_are_those_of_the_network(bottleneck):
    fitted = detector(bottleneck=bottleneck).fit(make_images(12, seed=1))
    images = make_images(3, seed=2)
    (prediction,) = fitted.predict(images)
    vae = fitted.networks_["vae"]
    x = to_unit(images.pixels, torch.device("cpu")) / 2 + 0.5
    with torch.no_grad():
        residual = (x - vae.generator(vae.mean(vae.encoder(x)))).abs().numpy()
    np.testing.assert_allclose(prediction.scores["pred_score"], residual.mean((1, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(prediction.maps["anomaly_map"], residual[:, 0], rtol=1e-3, atol=1e-5)


def test_an_unknown_bottleneck_is_refused():
    with pytest.raises(UserError, match=r"bottleneck='wide': choose from dense, spatial"):
        detector(bottleneck="wide")
