"""The Gaussian of descriptors and Mahalanobis' distance, against scikit-learn and scipy."""

import numpy as np
import pytest
import torch
from helpers import make_images
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from medad.detectors.features.density import density_distance, learn_density
from medad.detectors.features.gaussian import learn_gaussian, squared_distance
from medad.detectors.registry import make_detector

NORMAL, TEST = make_images(30, seed=1), make_images(4, seed=3)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(3, 1, (60, 8)) @ rng.normal(size=(8, 8)) * 10.0 ** np.arange(-3, 5)


def test_the_distance_is_scipy_s_with_scikit_learn_s_covariance_of_standardised_rows(rows):
    mean, scale = rows.mean(0), rows.std(0)
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit((rows - mean) / scale).covariance_)
    found = squared_distance(learn_gaussian(rows), torch.from_numpy(rows[:5] + scale)).sqrt()
    expected = [mahalanobis(row, np.zeros(8), precision) for row in (rows[:5] + scale - mean) / scale]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_without_standardising_it_is_scikit_learn_s_of_rows_as_they_are():
    rows = np.random.default_rng(0).normal(1, [0.1, 1, 3], (40, 3))
    fitted = LedoitWolf().fit(rows)
    found = squared_distance(learn_gaussian(rows, standardise=False), torch.from_numpy(rows))
    np.testing.assert_allclose(found, fitted.mahalanobis(rows), rtol=1e-8)


@pytest.mark.parametrize("standardise", [True, False])
def test_two_rows_tell_the_mean_variance_alone(standardise):
    found = learn_gaussian(np.array([[0.0, 2, 4], [2.0, 0, 4]]), standardise)
    x = torch.tensor([[1.0, 3, 4], [3.0, 1, 4]])  # both two standard deviations from the mean in one number
    distances = squared_distance(found, x)
    assert distances[0] == distances[1] and 0 < distances[0] < torch.inf


@pytest.mark.parametrize("standardise", [True, False])
def test_rows_that_are_all_alike_are_at_no_distance_from_anything(standardise):
    gaussian = learn_gaussian(np.ones((5, 3)), standardise)
    np.testing.assert_array_equal(squared_distance(gaussian, torch.randn(2, 3)), 0)


def test_the_detector_s_map_has_the_squared_distance_as_its_mean():
    detector = make_detector("mahalanobis", "tiny", device="cpu", jobs=1, extractor="pixels").fit(NORMAL)
    (found,) = detector.predict(TEST)
    x = NORMAL.pixels.astype(np.float64).reshape(30, 32, 2, 32, 2).mean((2, 4)).reshape(30, -1) / 127.5 - 1
    y = TEST.pixels.astype(np.float64).reshape(4, 32, 2, 32, 2).mean((2, 4)).reshape(4, -1) / 127.5 - 1
    inverse = np.linalg.inv(LedoitWolf().fit((x - x.mean(0)) / x.std(0)).covariance_)
    expected = [mahalanobis(row, np.zeros(1024), inverse) for row in (y - x.mean(0)) / x.std(0)]
    np.testing.assert_allclose(found.scores["distance"], expected, rtol=1e-4)
    np.testing.assert_allclose(found.maps["contribution"].mean((1, 2)), np.square(expected), rtol=1e-3)


def test_the_density_is_of_directions():
    rows = np.random.default_rng(0).normal(2, 1, (50, 6))
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    density = learn_density(rows)
    expected = np.sqrt(LedoitWolf().fit(directions).mahalanobis(directions))
    np.testing.assert_allclose(density_distance(density, torch.from_numpy(rows)), expected, rtol=1e-8)
    np.testing.assert_allclose(density_distance(density, torch.from_numpy(7 * rows)), expected, rtol=1e-8)
    other = learn_density(rows * np.linspace(0.1, 9, 50)[:, None])
    np.testing.assert_allclose(density_distance(other, torch.from_numpy(rows)), expected, rtol=1e-8)


def test_squared_densities_of_what_was_learned_are_about_as_large_as_there_are_dimensions():
    rows = np.random.default_rng(0).normal(0, 1, (2000, 16))
    squares = density_distance(learn_density(rows), torch.from_numpy(rows)).square()
    assert 0.9 * 16 < squares.mean() < 1.1 * 16


def test_a_descriptor_of_zeros_has_a_finite_density():
    density = learn_density(np.random.default_rng(0).normal(size=(9, 4)))
    assert density_distance(density, torch.zeros(1, 4)).isfinite().all()
