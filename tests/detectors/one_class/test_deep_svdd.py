"""Deep SVDD: its two stages, recipe by number, and that a stop changes nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.one_class.deep_svdd import DeepSVDD
from medad.detectors.one_class.svdd_training import make_autoencoder
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.loop import Interrupted, train_in_turns
from medad.training.spec import Spec

COUNT = 12
PIXELS = make_images(COUNT, seed=1).pixels


def specs(detector: DeepSVDD, folder: Path) -> list[Spec]:
    np.save(folder / "normal.npy", PIXELS)
    (first,), (second,) = stages_of(detector, TrainingData((folder / "normal.npy",), (COUNT,), ("images",)), folder)
    return [first, second]


def train(folder: Path, phases: list[Spec]) -> None:
    for spec in phases:
        train_in_turns([spec], folder, lambda name, done: None, lambda: False)


def test_recipe():
    o = make_detector("deep_svdd", "paper", device="cpu").options
    assert (o.epochs, o.milestone, o.pretrain_epochs, o.pretrain_milestone) == (150, 50, 350, 250)
    assert (o.batch_size, o.keep_last, o.lr, o.weight_decay) == (200, True, 1e-4, 0.5e-6)
    assert (o.beta1, o.beta2, o.latent, o.boundary, o.nu) == (0.9, 0.999, 128, "one_class", 0.1)


@pytest.mark.parametrize(("stage", "milestone"), [(0, 250), (1, 50)])
def test_learning_rates_fall_to_a_tenth(tmp_path, stage, milestone):
    detector = make_detector("deep_svdd", "paper", device="cpu", width=1, latent=16, batch_size=6)
    phases = specs(detector, tmp_path)
    assert [spec.steps for spec in phases] == [700, 300]
    if stage:
        train(tmp_path, specs(make_detector("deep_svdd", "tiny", device="cpu", width=1), tmp_path)[:1])
    phase = phases[stage].make()
    (optimiser,) = phase.optimisers.values()
    for number, lr in ((0, 1e-4), (2 * milestone - 1, 1e-4), (2 * milestone, 1e-5)):
        phase.schedule(number)
        assert [group["lr"] for group in optimiser.param_groups] == [pytest.approx(lr)]


def test_the_second_stage_begins_where_the_first_one_ends(tmp_path):
    detector = make_detector("deep_svdd", "tiny", device="cpu", boundary="soft", batch_size=4)
    first, second = specs(detector, tmp_path)
    train(tmp_path, [first])
    autoencoder = make_autoencoder(detector.options).eval()
    load_networks({"autoencoder": autoencoder}, load_tensors(tmp_path / "autoencoder.safetensors")[0])
    phase = second.make()
    network = phase.networks["deep_svdd"]
    for key in ("linear.weight", "encoder.0.weight", "encoder.1.running_var", "scaling.low", "scaling.high"):
        assert torch.equal(network.state_dict()[key], autoencoder.svdd.state_dict()[key])
    assert network.training
    x = torch.from_numpy(PIXELS / np.float32(127.5) - 1)
    with torch.no_grad():
        mean = autoencoder.svdd.embed(autoencoder.svdd.scaling(x)).mean(0).numpy()
    assert (np.abs(mean) < 0.1).any(), "the test shows nothing"
    pushed = np.where(np.abs(mean) < 0.1, np.copysign(0.1, mean), mean)
    np.testing.assert_allclose(network.centre.numpy(), pushed, rtol=1e-4, atol=1e-6)
    for number, fits in ((0, False), (29, False), (30, True)):  # three steps an epoch
        phase.schedule(number)
        assert bool(network.fits_radius) == fits


@pytest.mark.parametrize("stage", [0, 1])
def test_a_stopped_training_ends_as_one_that_was_left_alone(tmp_path, stage):
    options = {"boundary": "soft", "batch_size": 4, "pretrain_steps": 7, "steps": 35}
    results = []
    for stopped in (False, True):
        folder = tmp_path / str(stopped)
        folder.mkdir()
        phases = specs(make_detector("deep_svdd", "tiny", device="cpu", **options), folder)
        train(folder, phases[:stage])
        if stopped:
            done = []
            with pytest.raises(Interrupted):
                train_in_turns(
                    [phases[stage]], folder, lambda name, n, done=done: done.append(n), lambda done=done: done[-1] >= 4
                )
        train(folder, phases[stage:])
        results.append(load_tensors(folder / "deep_svdd.safetensors")[0])
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])
    assert results[0]["deep_svdd/radius"] > 0


def test_boundaries_share_the_pretraining(tmp_path):
    one, soft = (
        specs(make_detector("deep_svdd", "tiny", device="cpu", **options), tmp_path)
        for options in ({}, {"boundary": "soft", "nu": 0.2, "steps": 9, "milestone": 3})
    )
    assert one[0].key == soft[0].key
    assert one[1].key != soft[1].key


def test_training_pulls_codes_to_the_centre():
    options = {"pretrain_steps": 5, "steps": 40, "lr": 1e-3, "width": 4}
    detector = make_detector("deep_svdd", "tiny", device="cpu", jobs=1, **options).fit(make_images(COUNT, seed=1))
    losses = detector.loss_curves_["deep_svdd"]
    assert losses[-5:].mean() < 0.5 * losses[:5].mean()


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match="boundary='hard': choose from one_class, soft"):
        make_detector("deep_svdd", boundary="hard")
    with pytest.raises(UserError, match="latent=20: choose a multiple of 16"):
        make_detector("deep_svdd", latent=20)
