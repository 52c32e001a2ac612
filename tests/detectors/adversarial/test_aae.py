"""AAE: recipe, phases, one step in plain torch, scores by hand."""

import copy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from gan_runs import assert_nearly_same_weights, assert_same_weights, train, training_data
from helpers import make_images, stages_of
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.adversarial import aae
from medad.detectors.adversarial.aae import AAE
from medad.detectors.contract import plan
from medad.detectors.registry import make_detector
from medad.training.pixels import ResidentPixels, to_unit
from tests.training.machine.test_recorded import NoLooks


def detector(**options: object) -> AAE:
    return make_detector("aae", "tiny", device="cpu", jobs=1, **options)


def test_recipe():
    o = make_detector("aae", "paper", device="cpu").options
    assert (o.width, o.latent, o.batch_size, o.lr, o.beta1, o.beta2) == (32, 128, 128, 1e-4, 0.5, 0.9)
    assert (o.dropout, o.constrained, o.warm_up, o.epochs) == (0.1, False, 6, 250)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"steps": None, "epochs": 10, "batch_size": 4}, [18, 12]),  # 6 of 10 epochs of 3 batches
        ({"steps": None, "epochs": 6, "batch_size": 4}, [17, 1]),
        ({"steps": 1}, [1]),
        ({"steps": 9, "warm_up": 0}, [9]),
    ],
)
def test_the_warm_up_is_a_part_of_the_training(tmp_path, options, steps):
    stages = stages_of(detector(**options), training_data(tmp_path), tmp_path)
    assert [spec.steps for (spec,) in stages] == steps
    assert [spec.name for (spec,) in stages] == ["warm_up", "aae"][-len(steps) :]


def slope_penalty(critic: nn.Module, points: Tensor) -> Tensor:
    points = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return 10 * (slope.square().sum(1).sqrt() - 1).square().mean()


def reference_step(networks: dict[str, nn.Module], rows: tuple[Tensor, ...], repeats: int, constrained: bool) -> None:
    """Make a step of the public code, its interpolate corrected, in plain torch."""
    network, critic = networks.values()
    x, prior, share = rows
    everything, encoder, judge = (
        torch.optim.Adam(part.parameters(), lr=1e-4, betas=(0.5, 0.9)) for part in (network, network.encoder, critic)
    )

    def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        network.zero_grad()
        critic.zero_grad()
        loss.backward()
        optimiser.step()

    for _ in range(repeats):
        z = network.encoder(x)
        out = network.decoder(z)
        loss = F.mse_loss(out, x)
        descend(everything, loss + F.mse_loss(network.encoder(out), z) if constrained else loss)
    q = network.encoder(x).detach()
    for i in range(prior.shape[1]):
        p, e = prior[:, i], share[:, i, None]
        descend(judge, critic(q).mean() - critic(p).mean() + slope_penalty(critic, e * p + (1 - e) * q))
    descend(encoder, -critic(network.encoder(x)).mean())


def built(folder: Path, **options: object) -> list:
    return [spec for (spec,) in stages_of(detector(dropout=0.0, **options), training_data(folder), folder)]


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("constrained", [False, True])
def test_a_step_is_that_of_the_public_code(tmp_path, monkeypatch, warm, constrained):
    monkeypatch.setattr(aae, "CRITIC_STEPS", 3)  # after twenty, rounding has grown
    options = {"constrained": constrained, "latent": 6}
    train(detector(dropout=0.0, **options), tmp_path)  # the second phase starts from the first
    phase = built(tmp_path, **options)[0 if warm else 1].make()
    networks = copy.deepcopy(phase.networks)
    rows = phase.draw(torch.arange(8))
    phase.step(rows)
    reference_step(networks, rows, 3 if warm else 1, constrained)
    assert_nearly_same_weights(phase.networks, networks)


def test_numbers_of_steps_with_a_batch(tmp_path):
    train(detector(), tmp_path)
    for spec, repeats in zip(built(tmp_path), (20, 1), strict=True):
        phase = spec.make()
        phase.step(phase.draw(torch.arange(8)))
        done = {name: o.state[o.param_groups[0]["params"][0]]["step"] for name, o in phase.optimisers.items()}
        assert done == {"aae": repeats, "critic": 20, "encoder": 1}


def test_the_second_phase_goes_on_from_the_first(tmp_path):
    warm_up, rest = built(tmp_path, steps=2)
    train(detector(dropout=0.0, steps=2), tmp_path)
    started = {f"{n}/{k}": v for n, net in rest.make().networks.items() for k, v in net.state_dict().items()}
    fresh = {f"{n}/{k}": v for n, net in warm_up.make().networks.items() for k, v in net.state_dict().items()}
    stored = aae.load_tensors(tmp_path / "warm_up.safetensors")[0]
    assert_same_weights(started, {k: v for k, v in stored.items() if k != "losses"})
    assert not torch.equal(started["aae/encoder.0.weight"], fresh["aae/encoder.0.weight"])


def test_latents_are_drawn_for_every_step_of_the_critic(tmp_path):
    phase = built(tmp_path)[0].make()
    x, prior, share = phase.draw(torch.arange(12))
    assert prior.shape == (12, 20, 128)
    assert share.shape == (12, 20)
    assert abs(prior.mean().item()) < 0.03
    assert prior.std().item() == pytest.approx(1, abs=0.03)
    assert x.min() == 0
    assert x.max() > 0.99
    assert not torch.equal(prior[:, 0], prior[:, 1])


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_preparing_and_stepping_never_wait_for_the_device(tmp_path, monkeypatch, constrained, precision):
    monkeypatch.setattr(plan, "open_pixels", ResidentPixels)
    one = make_detector("aae", "tiny", device="cpu", precision=precision, constrained=constrained, warm_up=0)
    (spec,) = stages_of(one, training_data(tmp_path), tmp_path)[0]
    phase = spec.make()
    for _ in range(2):
        with NoLooks():
            loss = phase.step(phase.draw(torch.arange(4)))
        assert loss.isfinite()


def test_a_stopped_training_ends_as_one_that_was_left_alone(tmp_path):
    make = partial(detector, batch_size=4, steps=5, warm_up=1, epochs=2)
    assert [spec.steps for (spec,) in stages_of(make(), training_data(tmp_path), tmp_path)] == [3, 2]
    assert_same_weights(train(make(), tmp_path / "a"), train(make(), tmp_path / "b", stops=(1, 2)))


def test_scores_are_those_of_the_network():
    fitted = detector().fit(make_images(12, seed=1))
    images = make_images(3, seed=2, channels=1)
    (prediction,) = fitted.predict(images)
    x = to_unit(images.pixels, torch.device("cpu")) / 2 + 0.5
    with torch.no_grad():
        residual = (x - fitted.networks_["aae"](x)).numpy()
    np.testing.assert_allclose(prediction.scores["pred_score"], (residual**2).mean((1, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(prediction.maps["anomaly_map"], abs(residual[:, 0]), rtol=1e-3, atol=1e-5)


def test_the_constrained_form_has_the_larger_critic():
    sizes = [[p.shape[0] for p in detector(constrained=c).build()["critic"].parameters()] for c in (False, True)]
    assert sizes == [[50, 50, 50, 50, 1, 1], [400, 400, 200, 200, 1, 1]]
