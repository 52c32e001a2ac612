"""kNN against scikit-learn, its map against the score, and its file."""

import numpy as np
import pytest
import torch
from helpers import make_images
from sklearn.neighbors import NearestNeighbors

from medad.detectors.registry import load_detector, make_detector

NORMAL, TEST = make_images(70, seed=1), make_images(5, seed=3)


def descriptors(images):
    """Return the means of blocks of 2 x 2 pixels, in [-1, 1]."""
    x = images.pixels.astype(np.float64) / 127.5 - 1
    return x.reshape(len(x), -1, 32, 2, 32, 2).mean((3, 5)).reshape(len(x), -1)


def predict(k, normal=NORMAL):
    detector = make_detector("knn", "paper", device="cpu", jobs=1, k=k).fit(normal)
    return detector, next(detector.predict(TEST))


@pytest.mark.parametrize("k", [1, 5])
def test_scores_are_scikit_learn_s_distances(k):
    distances, _ = NearestNeighbors(n_neighbors=k).fit(descriptors(NORMAL)).kneighbors(descriptors(TEST))
    np.testing.assert_allclose(predict(k)[1].scores["distance"], distances.mean(1), rtol=1e-5)


def test_the_map_of_one_neighbour_is_its_squared_difference():
    prediction = predict(1)[1]
    bank, small = descriptors(NORMAL), descriptors(TEST)
    nearest = bank[((small[:, None] - bank) ** 2).sum(2).argmin(1)]
    difference = torch.from_numpy((small - nearest) ** 2).reshape(5, 1, 32, 32)
    expected = torch.nn.functional.interpolate(difference, 64, mode="bilinear").squeeze(1).numpy()
    np.testing.assert_allclose(prediction.maps["anomaly_map"], expected, rtol=1e-4, atol=1e-6)


def test_fewer_normal_images_than_neighbours_are_all_neighbours():
    few = NORMAL.subset([0, 1, 2])
    np.testing.assert_array_equal(predict(9, few)[1].scores["distance"], predict(3, few)[1].scores["distance"])


def test_the_file_tells_the_size_of_the_bank(tmp_path):
    detector, prediction = predict(5)
    assert detector.tensors_["knn/bank"].shape == (70, 1024)
    assert not detector.loss_curves_
    detector.save(tmp_path)
    (again,) = load_detector(tmp_path, device="cpu").predict(TEST)
    np.testing.assert_array_equal(again.scores["distance"], prediction.scores["distance"])
