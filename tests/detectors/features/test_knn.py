"""kNN against scikit-learn, and its file."""

import numpy as np
import pytest
from helpers import make_images
from sklearn.neighbors import NearestNeighbors

from medad.detectors.registry import load_detector, make_detector

NORMAL, TEST = make_images(70, seed=1), make_images(5, seed=3)


def descriptors(images):
    """Return the means of blocks of 2 x 2 pixels, in [-1, 1], standardised as the normal images are."""
    rows, normal = (
        (part.pixels.astype(np.float64) / 127.5 - 1)
        .reshape(len(part), 32, 2, 32, 2)
        .mean((2, 4))
        .reshape(len(part), -1)
        for part in (images, NORMAL)
    )
    return (rows - normal.mean(0)) / normal.std(0)


def predict(k, normal=NORMAL):
    detector = make_detector("knn", "tiny", device="cpu", jobs=1, k=k, extractor="pixels").fit(normal)
    return detector, next(detector.predict(TEST))


@pytest.mark.parametrize("k", [1, 5])
def test_scores_are_scikit_learn_s_distances(k):
    distances, _ = NearestNeighbors(n_neighbors=k).fit(descriptors(NORMAL)).kneighbors(descriptors(TEST))
    np.testing.assert_allclose(predict(k)[1].scores["distance"], distances.mean(1), rtol=1e-5)


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
