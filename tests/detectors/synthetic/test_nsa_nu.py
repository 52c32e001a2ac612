"""NSA with a normal-against-unlabeled term: its batches, its loss, its scores, and that unlabeled images teach it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import make_images
from torch import nn
from torch.nn import functional as F

from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.detectors.synthetic import segmentation
from medad.detectors.synthetic.crops import centre_crop
from medad.detectors.synthetic.nsa_nu import NSANU
from medad.evaluation.metrics import auroc
from medad.synthesis.contract import Made
from medad.training.pixels import to_unit

NORMAL, UNLABELED = 5, 4


def make(preset="tiny", **options):
    return make_detector("nsa_nu", preset, device="cpu", jobs=1, **options)


class Levels:
    """Images of one grey level each, -0.9, -0.8 and so on, so that pixels tell which image they are of."""

    def __len__(self):
        return NORMAL + UNLABELED

    def __call__(self, index):
        return (index / 10 - 0.9)[:, None, None, None].expand(-1, 1, 64, 64)


@pytest.fixture
def sources(monkeypatch):
    """Record which images are sources, and paste nothing."""
    seen = []

    def record(images, sources):
        seen.append(number_of(sources))
        return Made(images, images[:, 0])

    monkeypatch.setattr(segmentation, "make_synthesis", lambda *_, **__: record)
    return seen


def number_of(levels):
    return ((levels[:, 0, 0, 0] + 0.9) * 10).round().int().tolist()


@pytest.mark.parametrize("pooled", [True, False])
def test_a_batch_is_half_normal_and_half_unlabeled(pooled, sources):
    index = torch.arange(NORMAL).repeat(40)
    normal, labels, unlabeled = NSANU.pairs(make(use_unlabeled=pooled).options, NORMAL, Levels(), index)
    torch.testing.assert_close(labels, 2 * normal[:, 0] - 1)  # what is to be found is that of the normal images
    assert number_of(2 * normal - 1) == index.tolist()
    assert set(number_of(2 * unlabeled - 1)) == set(range(NORMAL, NORMAL + UNLABELED))
    assert set(sources[0]) == set(range(NORMAL + UNLABELED if pooled else NORMAL))


def test_the_loss_is_the_two_cross_entropies():
    options = make(nu_weight=0.25).options
    normal, unlabeled = torch.randn(2, 3, 2, 8, 8)
    labels = torch.rand(3, 8, 8)
    loss = NSANU.objective(options, nn.Identity())(normal, labels, unlabeled)
    told = F.logsigmoid(torch.cat([-normal[:, 1].mean((1, 2)), unlabeled[:, 1].mean((1, 2))]))
    found = F.binary_cross_entropy(normal[:, 0].sigmoid(), labels)
    assert loss == pytest.approx((found - 0.25 * told.mean()).item(), rel=1e-5)
    assert NSANU.objective(options, nn.Identity())(normal, labels) == pytest.approx(found.item(), rel=1e-5)


def test_labels_of_what_is_pasted_into_unlabeled_images_are_not_learned():
    network = nn.Conv2d(1, 2, 1)
    images, labels = torch.rand(4, 1, 8, 8), torch.zeros(4, 8, 8)
    NSANU.objective(make(nu_weight=0.0).options, network)(images, labels, torch.rand(4, 1, 8, 8)).backward()
    alone = nn.Conv2d(1, 2, 1)
    alone.load_state_dict(network.state_dict())
    NSANU.objective(make().options, alone)(images, labels).backward()
    torch.testing.assert_close(network.weight.grad, alone.weight.grad)


def test_both_maps_and_what_they_come_to():
    detector = make().fit(make_images(6, seed=1), make_images(4, seed=2))
    images = make_images(3, seed=3)
    (prediction,) = detector.predict(images)
    x = (centre_crop(to_unit(images.pixels, torch.device("cpu"))) + 1) / 2
    found, told = detector.networks_["nsa_nu"](x).numpy().swapaxes(0, 1)
    np.testing.assert_allclose(prediction.scores["nu"], told.mean((1, 2)), rtol=1e-3, atol=1e-5)
    inner = (slice(None), slice(4, 60), slice(4, 60))
    np.testing.assert_allclose(prediction.maps["nu_map"][inner], told, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(prediction.maps["anomaly_map"][inner], 1 / (1 + np.exp(-found)), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["mean"])


def test_without_unlabeled_images_there_is_no_second_score():
    detector = make().fit(make_images(6, seed=1))
    (prediction,) = detector.predict(make_images(2))
    assert "nu" not in prediction.scores and set(prediction.maps) == {"anomaly_map"}


def test_which_images_are_normal_is_part_of_the_training(tmp_path):
    detector = make()
    files = (tmp_path / "normal.npy", tmp_path / "unlabeled.npy")
    keys = []
    for counts in ((6, 4), (5, 5)):
        data = TrainingData(files, counts, tuple(map(str, counts)))
        keys.append(detector.stages(detector.plan(data, tmp_path))[0][0].key)
    assert keys[0] != keys[1]


def test_it_learns_from_unlabeled_images_what_it_never_saw_pasted():
    """Bright corners are no patches: only the pool that they come from tells that they matter."""
    normal, half, test = (make_images(count, seed=seed) for count, seed in ((32, 1), (16, 2), (40, 3)))
    pool, marked = _with_corners(half, 8), _with_corners(test, 20)
    detector = make(steps=60, batch_size=16, lr=3e-3, nu_weight=1.0).fit(normal, pool)
    labels = np.arange(40) < 20
    assert auroc(labels.astype(int), detector.scores(marked)["nu"]) > 0.9


def _with_corners(images, count):
    pixels = images.pixels.copy()
    pixels[:count, :, 8:20, 8:20] = 255
    return replace(images, pixels=pixels)
