"""Latent outlier exposure: who is taken for abnormal, what that does to the loss, and when it begins."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.detectors.unlabeled.loe import loe_loss, taken_for_abnormal
from medad.errors import UserError
from medad.training.checkpoint import load_tensors
from medad.training.loop import Interrupted, train_in_turns
from medad.training.pixels import to_unit
from medad.training.spec import Spec

NORMAL, POOL = make_images(8, seed=1).pixels, make_images(4, seed=2).pixels
ALL = to_unit(np.concatenate([NORMAL, POOL]), torch.device("cpu"))


def specs(folder: Path, **options) -> list[Spec]:
    """Return both phases of a training on 8 normal and 4 unlabeled images."""
    folder.mkdir(exist_ok=True)
    files = (folder / "normal.npy", folder / "unlabeled.npy")
    for file, pixels in zip(files, (NORMAL, POOL), strict=True):
        np.save(file, pixels)
    detector = make_detector("loe", "tiny", device="cpu", jobs=1, **options)
    data = TrainingData(files, (8, 4), ("normal", "unlabeled"))
    return [spec for stage in stages_of(detector, data, folder) for spec in stage]


def train(folder: Path, phases: list[Spec], stopped=lambda: False, report=lambda name, done: None) -> None:
    for spec in phases:
        train_in_turns([spec], folder, report, stopped)


def test_the_unlabeled_with_the_largest_excess_are_taken():
    excess = torch.tensor([5.0, 9.0, 1.0, 7.0, 3.0])
    unlabeled = torch.tensor([True, False, True, True, True])
    for rate, taken in ((0, []), (0.1, []), (0.25, [3]), (0.5, [0, 3]), (0.75, [0, 3, 4]), (1, [0, 2, 3, 4])):
        assert taken_for_abnormal(excess, unlabeled, rate).nonzero().flatten().tolist() == taken


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.6])
def test_the_share_is_exact(rate):
    generator = torch.Generator().manual_seed(0)
    for count in range(10, 210, 10):
        excess = torch.randn(count + 30, generator=generator).round(decimals=1)  # with ties
        unlabeled = torch.randperm(count + 30, generator=generator) < count
        taken = taken_for_abnormal(excess, unlabeled, rate)
        assert taken.sum() == round(rate * count)
        assert not (taken & ~unlabeled).any()
        assert excess[taken].min() >= excess[unlabeled & ~taken].max()


@pytest.mark.parametrize(
    ("pushing", "expected"), [(0, (1 + 4 + 2) / 3), (0.5, (1 + (4 + 0.25) / 2 + 2) / 3), (1, (1 + 0.25 + 2) / 3)]
)
def test_the_loss_by_hand(pushing, expected):
    distance = torch.tensor([1.0, 4.0, 2.0], requires_grad=True)
    unlabeled = torch.tensor([False, True, True])
    loss = loe_loss(lambda x: distance, None, unlabeled, 0.5, torch.tensor(float(pushing)))
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    (slope,) = torch.autograd.grad(loss, distance)  # of the one that is taken: 1 and -1 / 16
    by_hand = [1 / 3, ((1 - pushing) - pushing / 16) / 3, 1 / 3]
    assert slope.tolist() == pytest.approx(by_hand, rel=1e-5)


def test_an_image_at_the_centre_has_a_finite_loss():
    distance = torch.zeros(2, requires_grad=True)
    loss = loe_loss(lambda x: distance, None, torch.tensor([True, True]), 0.5, torch.ones(()))
    loss.backward()
    assert loss.isfinite() and distance.grad.isfinite().all()


@pytest.mark.parametrize(("exposure", "share"), [("soft", 0.5), ("hard", 1.0)])
def test_guessing_begins_after_two_epochs(tmp_path, exposure, share):
    first, second = specs(tmp_path, exposure=exposure, rate=0.5, batch_size=6, lr=1e-12, weight_decay=0.0)
    train(tmp_path, [first])
    phase, index = second.make(), torch.tensor([0, 3, 8, 9, 10, 11])  # an epoch has two batches of six
    network = phase.networks["loe"]
    with torch.no_grad():
        d = network(ALL[index])
        guessed = d - 1 / d >= (d - 1 / d)[2:].sort().values[2]
        guessed[:2] = False
        later = torch.where(guessed, (1 - share) * d + share / d, d).mean()
    for number, expected in ((0, d.mean()), (3, d.mean()), (4, later), (9, later)):
        (loss,) = phase.advance(index, 6, number)
        torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)


def test_a_stopped_training_ends_as_one_that_was_left_alone(tmp_path):
    results = []
    for stopped in (False, True):
        folder = tmp_path / str(stopped)
        phases = specs(folder, rate=0.5, batch_size=6, steps=8, pretrain_steps=2)
        train(folder, phases[:1])
        if stopped:
            done = []
            with pytest.raises(Interrupted):
                train(folder, phases[1:], lambda done=done: done[-1] >= 5, lambda name, n, done=done: done.append(n))
        train(folder, phases[1:])
        results.append(load_tensors(folder / "loe.safetensors")[0])
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def test_the_rate_is_of_the_second_stage_alone(tmp_path):
    one, other = specs(tmp_path), specs(tmp_path, rate=0.3, exposure="hard")
    assert one[0].key == other[0].key
    assert one[1].key != other[1].key


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match="rate=1.5: choose a number from 0 to 1"):
        make_detector("loe", rate=1.5)
    with pytest.raises(UserError, match="exposure='firm': choose from soft, hard"):
        make_detector("loe", exposure="firm")
