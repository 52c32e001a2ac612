"""f-AnoGAN: recipe, steps and scores against plain torch."""

import copy

import numpy as np
import pytest
import torch
from gan_runs import assert_nearly_same_weights, assert_same_weights, train, training_data
from helpers import make_images, stages_of

from medad.detectors.adversarial import gan_encoder
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.networks.folding import folded
from medad.training.pixels import to_unit

CPU = torch.device("cpu")


def tiny(**options):
    return make_detector("fanogan", "tiny", device="cpu", jobs=1, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a detector with an encoder, fitted, and the folder of its phases."""
    folder = tmp_path_factory.mktemp("trained")
    detector = tiny(kappa=3.0)
    detector.load_state(train(detector, folder))
    return detector, folder


def test_the_recipe():
    o = make_detector("fanogan", "paper", device="cpu").options
    assert (o.width, o.latent, o.batch_size, o.steps, o.critic_steps) == (64, 128, 64, 20_000, 5)
    assert (o.lr, o.beta1, o.beta2) == (1e-4, 0.0, 0.9)
    assert (o.encoder, o.encoder_steps, o.encoder_lr, o.kappa) == ("izi_f", 50_000, 5e-5, 1.0)
    assert (o.search_steps, o.restarts, o.feature_weight) == (500, 1, 0.1)
    assert o.gan_recipe(1000).total_steps == 20_000
    assert o.encoder_recipe(1000).total_steps == 50_000


def test_a_step_of_the_gan_is_the_plain_one(tmp_path):
    """Two critic steps and one of the generator, written out with the penalty by hand."""
    torch.manual_seed(0)
    phase = stages_of(tiny(lr=1e-3), training_data(tmp_path), tmp_path)[0][0].make()
    generator, critic = (copy.deepcopy(phase.networks[name]) for name in ("generator", "critic"))
    real, codes, share = phase.draw(torch.tensor([3, 1, 2, 0]))
    assert (real.shape, codes.shape, share.shape) == ((4, 2, 1, 64, 64), (4, 3, 4), (4, 2))
    pixels = torch.from_numpy(np.load(tmp_path / "normal.npy")).float() / 127.5 - 1
    torch.testing.assert_close(real[:, 0], pixels[[3, 1, 2, 0]])
    loss = phase.step((real, codes, share))

    adam = {network: torch.optim.Adam(network.parameters(), 1e-3, (0.0, 0.9)) for network in (generator, critic)}
    for j in range(2):
        fake = generator(codes[:, j]).detach()
        a = share[:, j, None, None, None]
        between = (a * real[:, j] + (1 - a) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = (slope.square().sum((1, 2, 3)).sqrt() - 1).square().mean()
        expected = critic(fake).mean() - critic(real[:, j]).mean() + 10 * penalty
        adam[critic].zero_grad()
        expected.backward()
        adam[critic].step()
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)
    adam[generator].zero_grad()
    (-critic(generator(codes[:, 2])).mean()).backward()
    adam[generator].step()
    assert_nearly_same_weights(phase.networks, {"generator": generator, "critic": critic})


@pytest.mark.parametrize("encoder", ["ziz", "izi", "izi_f"])
def test_a_step_of_the_encoder_is_the_plain_one(trained, encoder):
    detector, folder = trained
    g, d = detector.networks_["generator"], detector.networks_["critic"]
    torch.manual_seed(0)
    other = tiny(encoder=encoder, kappa=3.0, encoder_lr=1e-3)
    phase = stages_of(other, training_data(folder), folder)[1][0].make()
    e = copy.deepcopy(phase.networks["encoder"])
    (rows,) = phase.draw(torch.arange(4))
    assert rows.shape == ((4, 4) if encoder == "ziz" else (4, 1, 64, 64))
    loss = phase.step((rows,))

    if encoder == "ziz":
        expected = (rows - e(g(rows))).square().mean()
    else:
        x_hat = g(e(rows))
        expected = (rows - x_hat).square().mean()
        if encoder == "izi_f":
            expected = expected + 3 * (d.features(rows) - d.features(x_hat)).square().mean()
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)
    optimiser = torch.optim.RMSprop(e.parameters(), 1e-3, alpha=0.9)
    expected.backward()
    optimiser.step()
    assert_nearly_same_weights(phase.networks, {"encoder": e})


@pytest.mark.parametrize(
    ("encoder", "score"),
    [("izi_f", "f_anogan"), ("izi", "f_anogan"), ("ziz", "f_anogan"), ("izi_f", "critic_output"), ("izi", "a_rec")],
)
def test_scores_are_those_of_the_paper(trained, encoder, score):
    weights = trained[0]
    detector = tiny(encoder=encoder, score=score, kappa=3.0)
    detector.load_state({f"{n}/{k}": v for n, net in weights.networks_.items() for k, v in net.state_dict().items()})
    g, d, e = (detector.networks_[name] for name in ("generator", "critic", "encoder"))
    x = to_unit(make_images(3, seed=3).pixels, CPU)
    with torch.no_grad():
        scores, maps = detector.analyse(x)
        z = e(x)
        x_hat = g(z)
        expected = {
            "a_rec": (x - x_hat).square().mean((1, 2, 3)),
            "feature_residual": (d.features(x) - d.features(x_hat)).square().mean(1),
            "critic_output": -d(x),
            "code_residual": (z - e(x_hat)).square().mean(1),
        }
    kappa = 3 if encoder == "izi_f" else 0
    expected["f_anogan"] = expected["a_rec"] + kappa * expected["feature_residual"]
    torch.testing.assert_close(scores, expected | {"pred_score": expected[score]}, rtol=1e-4, atol=1e-5)
    assert list(maps) == ["a_rec", "anomaly_map"]
    torch.testing.assert_close(maps["anomaly_map"], (x - x_hat).abs()[:, 0], rtol=1e-4, atol=1e-5)


def test_the_search_needs_no_encoder(trained, tmp_path):
    weights = trained[0]
    detector = tiny(score="anogan_search", search_steps=3)
    (stage,) = stages_of(detector, training_data(tmp_path), tmp_path)
    assert [spec.name for spec in stage] == ["wgan"]
    assert set(detector.build()) == {"generator", "critic"}
    detector.load_state({f"{n}/{k}": v for n, net in weights.networks_.items() for k, v in net.state_dict().items()})
    x = to_unit(make_images(2, seed=3).pixels, CPU)
    scores, maps = detector.analyse(x)
    assert set(scores) == {"a_rec", "feature_residual", "critic_output", "anogan_search", "pred_score"}
    residual = maps["anomaly_map"].sum((1, 2))
    assert (scores["pred_score"] > 0.9 * residual).all()
    assert torch.equal(scores["pred_score"], scores["anogan_search"])


def test_all_encoders_and_scores_share_one_gan(tmp_path):
    data = training_data(tmp_path)
    choices = [{}, {"encoder": "ziz"}, {"kappa": 2.0}, {"score": "anogan_search"}, {"search_steps": 7}]
    keys = [stages_of(tiny(**choice), data, tmp_path)[0][0].key for choice in choices]
    assert len(set(keys)) == 1
    assert stages_of(tiny(critic_steps=3), data, tmp_path)[0][0].key != keys[0]
    encoders = [stages_of(tiny(**choice), data, tmp_path)[1][0].key for choice in choices[:3]]
    assert len(set(encoders)) == 3


def test_the_gan_is_frozen_while_the_encoder_learns(trained, monkeypatch):
    detector, folder = trained
    frozen = []
    monkeypatch.setattr(gan_encoder, "folded", lambda network: frozen.append(folded(network)) or frozen[-1])
    phase = stages_of(detector, training_data(folder), folder)[1][0].make()
    before = [copy.deepcopy(network.state_dict()) for network in frozen]
    encoder = copy.deepcopy(phase.networks["encoder"].state_dict())
    for _ in range(2):
        phase.step(phase.draw(torch.arange(4)))
    assert set(phase.networks) == {"encoder"}
    assert not all(torch.equal(encoder[key], value) for key, value in phase.networks["encoder"].state_dict().items())
    assert len(frozen) == 2
    for network, state in zip(frozen, before, strict=True):
        assert not any(module.training for module in network.modules())
        assert not any(weight.requires_grad for weight in network.parameters())
        assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())


def test_a_stopped_training_ends_with_the_same_weights(tmp_path):
    detector = tiny(steps=5, encoder_steps=5)
    assert_same_weights(train(detector, tmp_path / "whole"), train(detector, tmp_path / "stopped", stops=(1, 3)))


def test_unknown_names_are_refused():
    with pytest.raises(UserError, match="encoder='zzz': choose from ziz, izi, izi_f"):
        tiny(encoder="zzz")
    with pytest.raises(UserError, match="score='best': choose from f_anogan, a_rec"):
        tiny(score="best")


def test_a_detector_that_searches_is_saved_and_loaded(tmp_path):
    detector = tiny(score="anogan_search").fit(make_images(8, seed=1))
    detector.save(tmp_path)
    images = make_images(2, seed=3)
    one, other = (next(d.predict(images)).scores for d in (detector, load_detector(tmp_path, device="cpu")))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
