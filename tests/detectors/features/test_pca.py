"""Principal components and what they leave, against scikit-learn."""

import numpy as np
import pytest
import torch
from helpers import make_images
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from medad.detectors.features.components import learn_components, projected, residual
from medad.detectors.registry import make_detector


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(80, 3)) @ rng.normal(size=(3, 10)) + 0.3 * rng.normal(size=(80, 10))) * np.arange(1, 11)


@pytest.mark.parametrize("variance", [0.5, 0.8, 0.95])
def test_components_are_scikit_learn_s(rows, variance):
    standard = StandardScaler().fit_transform(rows)
    reference = PCA(variance, svd_solver="full").fit(standard)
    found = learn_components(rows, variance)
    assert found["components"].shape == reference.components_.shape
    d = torch.from_numpy(rows)
    np.testing.assert_allclose(projected(found, d), reference.transform(standard), atol=1e-10)
    left = standard - reference.inverse_transform(reference.transform(standard))
    np.testing.assert_allclose(residual(found, d), left, atol=1e-10)


def test_all_variance_leaves_nothing(rows):
    np.testing.assert_allclose(residual(learn_components(rows, 1), torch.from_numpy(rows)), 0, atol=1e-10)


def test_constants_have_no_say():
    rows = np.column_stack([np.full(6, 7.0), np.arange(6.0), [1, 0, 0, 1, 0, 1]])
    found, other = learn_components(rows, 0.5), torch.tensor([[9.0, 2.0, 1.0]])
    assert residual(found, other)[0, 0] == 0
    flat = learn_components(np.ones((4, 3)), 0.95)
    np.testing.assert_array_equal(residual(flat, other), 0)


def test_the_map_s_mean_is_the_squared_score():
    detector = make_detector("pca", "tiny", device="cpu", jobs=1, extractor="pixels").fit(make_images(20, seed=1))
    (found,) = detector.predict(make_images(4, seed=3))
    squares = found.scores["residual"] ** 2
    assert (squares > 1).all()
    np.testing.assert_allclose(found.maps["anomaly_map"].mean((1, 2)), squares, rtol=1e-4)
