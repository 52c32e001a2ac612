"""Deep SAD: its loss by hand, what it learns from, and Deep SVDD where there is nothing unlabeled."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.detectors.unlabeled.deep_sad import weighted_distance, with_weights
from medad.errors import UserError
from medad.training.loop import train_in_turns
from medad.training.pixels import to_unit
from medad.training.spec import Spec

NORMAL, POOL = make_images(8, seed=1).pixels, make_images(4, seed=2).pixels
ALL = to_unit(np.concatenate([NORMAL, POOL]), torch.device("cpu"))


def specs(folder: Path, method: str = "deep_sad", unlabeled: bool = True, **options) -> list[Spec]:
    """Return both phases of a training on 8 normal and, if wanted, 4 unlabeled images."""
    folder.mkdir(exist_ok=True)
    parts = {"normal": NORMAL, "unlabeled": POOL} if unlabeled else {"normal": NORMAL}
    for name, pixels in parts.items():
        np.save(folder / f"{name}.npy", pixels)
    files = tuple(folder / f"{name}.npy" for name in parts)
    data = TrainingData(files, tuple(len(p) for p in parts.values()), tuple(parts))
    detector = make_detector(method, "tiny", device="cpu", jobs=1, **options)
    return [spec for stage in stages_of(detector, data, folder) for spec in stage]


def second_phase(folder: Path, method: str = "deep_sad", unlabeled: bool = True, **options):
    """Return the second phase, ready to step, after the first one."""
    first, second = specs(folder, method, unlabeled, **options)
    torch.manual_seed(0)
    train_in_turns([first], folder, lambda name, done: None, lambda: False)
    torch.manual_seed(0)
    return second.make()


def test_normal_images_weigh_eta():
    x, weight = with_weights(lambda index: ALL[index], torch.tensor([9, 0, 7, 8]), normal=8, eta=2.5)
    assert torch.equal(x, ALL[[9, 0, 7, 8]])
    assert weight.tolist() == [1, 2.5, 2.5, 1]
    distance = torch.tensor([4.0, 1.0, 2.0, 8.0])
    assert weighted_distance(lambda x: distance)(x, weight).item() == (4 + 2.5 + 5 + 8) / 4


def test_with_eta_one_it_is_deep_svdd_on_all_images(tmp_path):
    phase = second_phase(tmp_path)
    network = phase.networks["deep_sad"]
    loss = weighted_distance(network)(*phase.draw(torch.arange(12)))
    torch.testing.assert_close(loss, network.loss(ALL), rtol=1e-6, atol=0)


def test_without_unlabeled_images_it_trains_as_deep_svdd(tmp_path):
    trained = []
    second_phase(tmp_path, "deep_svdd", unlabeled=False)  # leaves the autoencoder that both begin with
    for method, options in (("deep_svdd", {}), ("deep_sad", {"eta": 7.0})):
        _, second = specs(tmp_path, method, unlabeled=False, **options)
        phase = second.make()
        for number in range(3):
            phase.advance(torch.arange(8), 8, number)
        trained.append(phase.networks[method].state_dict())
    assert all(torch.equal(trained[0][key], trained[1][key]) for key in trained[0])


def test_pretraining_and_centre_know_the_unlabeled_images(tmp_path):
    network = second_phase(tmp_path, pretrain_steps=3).networks["deep_sad"]
    network.eval()
    with torch.no_grad():
        mean = network.embed(network.scaling(ALL)).mean(0)
    far = mean.abs() > 0.1
    assert far.any(), "the test shows nothing"
    torch.testing.assert_close(network.centre[far], mean[far], rtol=1e-4, atol=1e-6)
    scaled = network.scaling(ALL)
    assert [scaled.min().item(), scaled.max().item()] == pytest.approx([0, 1], abs=1e-6)


def test_pretraining_does_not_depend_on_eta(tmp_path):
    one, other = specs(tmp_path), specs(tmp_path, eta=2.0)
    assert one[0].key == other[0].key
    assert one[1].key != other[1].key


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match="eta=0.0: choose a number from 0.001"):
        make_detector("deep_sad", eta=0.0)
    with pytest.raises(UserError, match="latent=20: choose a multiple of 16"):
        make_detector("deep_sad", latent=20)
    with pytest.raises(UserError, match="method deep_sad has no such option"):
        make_detector("deep_sad", boundary="soft")
