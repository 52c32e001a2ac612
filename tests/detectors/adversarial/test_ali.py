"""ALI: recipe, step, averages and scores against plain torch."""

import copy

import torch
from gan_runs import assert_nearly_same_weights, assert_same_weights, train, training_data
from helpers import make_images, stages_of
from torch import nn
from torch.nn import functional as F

from medad.detectors.registry import make_detector
from medad.training.pixels import to_unit

NAMES = ("encoder", "generator", "discriminator")


def tiny(**options):
    return make_detector("ali", "tiny", device="cpu", jobs=1, **options)


def without_dropout(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def test_the_recipe():
    o = make_detector("ali", "paper", device="cpu").options
    assert (o.width, o.latent, o.batch_size, o.steps, o.average) == (64, 200, 100, 50_000, 0.999)
    assert (o.lr, o.beta1, o.beta2, o.feature_weight) == (1e-5, 0.5, 0.999, 0.1)


def test_a_step_is_the_plain_one(tmp_path):
    torch.manual_seed(0)
    phase = stages_of(tiny(lr=1e-3), training_data(tmp_path), tmp_path)[0][0].make()
    without_dropout(phase.networks["discriminator_last"])
    start = {name: copy.deepcopy(phase.networks[name]) for name in NAMES}
    e, g, d = (copy.deepcopy(phase.networks[f"{name}_last"]) for name in NAMES)
    x, z = phase.draw(torch.arange(4))
    phase.schedule(3)
    loss = phase.step((x, z))

    adam = {n: torch.optim.Adam(n.parameters(), 1e-3, (0.5, 0.999)) for n in (e, g, d)}
    cross_entropy, encoded, generated = F.binary_cross_entropy_with_logits, torch.ones(4), torch.zeros(4)
    expected = cross_entropy(d(x, e(x).detach()), encoded) + cross_entropy(d(g(z).detach(), z), generated)
    expected.backward()
    adam[d].step()
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-5)
    cross_entropy(d(x, e(x)), generated).backward()
    adam[e].step()
    cross_entropy(d(g(z), z), encoded).backward()
    adam[g].step()
    last = {"encoder_last": e, "generator_last": g, "discriminator_last": d}
    assert_nearly_same_weights({name: phase.networks[name] for name in last}, last)

    share = 1 - 4 / 13  # of the newest weights in the fourth step
    for name in NAMES:
        for key, average in phase.networks[name].named_parameters():
            newest = phase.networks[f"{name}_last"].get_parameter(key)
            torch.testing.assert_close(average, (1 - share) * start[name].get_parameter(key) + share * newest)


def test_averages_score(tmp_path):
    detector = tiny(feature_weight=0.3, steps=3)
    weights = train(detector, tmp_path)
    assert not torch.equal(weights["generator/start.weight"], weights["generator_last/start.weight"])
    detector.load_state(weights)
    e, g, d = (detector.networks_[name] for name in NAMES)
    x = to_unit(make_images(2, seed=3).pixels, torch.device("cpu"))
    with torch.no_grad():
        scores, maps = detector.analyse(x)
        z = e(x)
        x_hat = g(z)
        image, feature = (x - x_hat).abs(), (d.features(x, z) - d.features(x_hat, z)).abs()
    expected = {
        "a_rec": image.mean((1, 2, 3)),
        "feature_residual": feature.mean(1),
        "pred_score": 0.7 * image.sum((1, 2, 3)) + 0.3 * feature.sum(1),
    }
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(maps["anomaly_map"], image[:, 0], rtol=1e-4, atol=1e-5)


def test_codes_are_unbounded(tmp_path):
    assert not tiny().build()["encoder"].bounded


def test_a_stopped_training_ends_with_the_same_weights(tmp_path):
    detector = tiny(steps=5)
    assert_same_weights(train(detector, tmp_path / "whole"), train(detector, tmp_path / "stopped", stops=(1, 3)))
