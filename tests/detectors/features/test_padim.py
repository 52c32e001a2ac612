"""PaDiM against scipy, and its running sums against numpy."""

import numpy as np
import torch
from helpers import make_images
from scipy.spatial.distance import mahalanobis

from medad.detectors.features.dense import smoothed
from medad.detectors.features.extractors.places import enlarged
from medad.detectors.features.padim import add_to_sums, empty_sums, whitening
from medad.detectors.registry import make_detector


def sums_of(x, *sizes):
    sums = empty_sums(x.shape[0], x.shape[2], torch.device("cpu"))
    for part in x.split(sizes, 1):
        add_to_sums(sums, part)
    return sums


def test_sums_are_those_of_all_at_once_even_far_from_zero():
    x = torch.randn(5, 40, 3, generator=torch.Generator().manual_seed(0)).double() + 1e6
    sums = sums_of(x, 1, 7, 30, 2)
    np.testing.assert_allclose(sums["mean"], x.mean(1), rtol=1e-12)
    expected = [np.cov(place.numpy().T) for place in x]
    np.testing.assert_allclose(sums["scatter"] / 39, expected, rtol=1e-6, atol=1e-9)


def test_distances_are_scipy_s():
    x = torch.randn(4, 30, 3, generator=torch.Generator().manual_seed(0)).double() * torch.tensor([0.01, 1, 5])
    found = whitening(sums_of(x, 15, 15))
    for place, mean, turn in zip(x, found["mean"], found["whitening"], strict=True):
        inverse = np.linalg.inv(np.cov(place.numpy().T) + 0.01 * np.eye(3))
        expected = [mahalanobis(row, place.mean(0), inverse) for row in place]
        np.testing.assert_allclose(((place.float() - mean) @ turn.T).norm(dim=1), expected, rtol=1e-4)


def test_the_detector_s_map_is_that_of_single_pixels():
    normal, test = make_images(20, seed=1), make_images(3, seed=3)
    detector = make_detector("padim", "tiny", device="cpu", jobs=1, extractor="pixels").fit(normal)
    (found,) = detector.predict(test)
    x, y = (i.pixels.astype(np.float64).reshape(-1, 32, 2, 32, 2).mean((2, 4)) / 127.5 - 1 for i in (normal, test))
    places = np.abs(y - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 0.01)
    expected = smoothed(enlarged(torch.from_numpy(places)[:, None], 64)[:, 0], 4)
    np.testing.assert_allclose(found.maps["anomaly_map"], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(found.scores["pred_score"], found.maps["anomaly_map"].max((1, 2)))


def test_channels_are_drawn_with_the_seed():
    normal, options = make_images(3, seed=1), {"device": "cpu", "jobs": 1, "features": 9}
    fitted = [make_detector("padim", "tiny", seed=seed, **options).fit(normal) for seed in (0, 1)]
    drawn = [detector.learned("channels") for detector in fitted]
    assert all(len(channels.unique()) == 9 for channels in drawn)
    assert (drawn[0] != drawn[1]).any()
