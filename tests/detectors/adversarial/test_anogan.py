"""AnoGAN: recipe, step and scores against plain torch."""

import copy

import torch
from gan_runs import assert_nearly_same_weights, assert_same_weights, train, training_data
from helpers import make_images, stages_of
from torch.nn import functional as F

from medad.detectors.adversarial.inversion import invert, starting_points
from medad.detectors.registry import make_detector
from medad.training.pixels import to_unit


def tiny(**options):
    return make_detector("anogan", "tiny", device="cpu", jobs=1, **options)


def test_the_recipe():
    o = make_detector("anogan", "paper", device="cpu").options
    assert (o.width, o.latent, o.batch_size, o.steps) == (64, 100, 64, 20_000)
    assert (o.lr, o.beta1, o.beta2) == (2e-4, 0.5, 0.999)
    assert (o.search_steps, o.restarts, o.feature_weight) == (500, 1, 0.1)


def test_a_step_is_the_plain_one(tmp_path):
    torch.manual_seed(0)
    phase = stages_of(tiny(lr=1e-3), training_data(tmp_path), tmp_path)[0][0].make()
    g, d = (copy.deepcopy(phase.networks[name]) for name in ("generator", "discriminator"))
    x, z = phase.draw(torch.arange(4))
    assert (x.shape, z.shape) == ((4, 1, 64, 64), (4, 4))
    loss = phase.step((x, z))

    adam = {network: torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.999)) for network in (g, d)}
    cross_entropy, real, generated = F.binary_cross_entropy_with_logits, torch.ones(4), torch.zeros(4)
    expected = cross_entropy(d(x), real) + cross_entropy(d(g(z).detach()), generated)
    expected.backward()
    adam[d].step()
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)
    adam[g].zero_grad()
    cross_entropy(d(g(z)), real).backward()
    adam[g].step()
    assert_nearly_same_weights(phase.networks, {"generator": g, "discriminator": d})


def test_scores_are_of_what_the_search_finds(tmp_path):
    detector = tiny(search_steps=3, restarts=2, feature_weight=0.3)
    detector.load_state(train(detector, tmp_path))
    g, d = (detector.networks_[name] for name in ("generator", "discriminator"))
    x = to_unit(make_images(2, seed=3).pixels, torch.device("cpu"))
    scores, maps = detector.analyse(x)
    starts = starting_points(detector.options, 4, detector.seed, x.device)
    x_hat = invert(x, g, d.features, starts, 3, 0.3)
    with torch.no_grad():
        image, feature = (x - x_hat).abs(), (d.features(x) - d.features(x_hat)).abs()
    expected = {
        "a_rec": image.mean((1, 2, 3)),
        "feature_residual": feature.mean((1, 2, 3)),
        "pred_score": 0.7 * image.sum((1, 2, 3)) + 0.3 * feature.sum((1, 2, 3)),
    }
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(maps["anomaly_map"], image[:, 0], rtol=1e-4, atol=1e-5)


def test_the_search_changes_scores_but_no_weight(tmp_path):
    keys = {stages_of(tiny(**o), training_data(tmp_path), tmp_path)[0][0].key for o in ({}, {"search_steps": 9})}
    assert len(keys) == 1


def test_a_stopped_training_ends_with_the_same_weights(tmp_path):
    detector = tiny(steps=5)
    assert_same_weights(train(detector, tmp_path / "whole"), train(detector, tmp_path / "stopped", stops=(1, 3)))
