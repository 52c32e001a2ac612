"""Random places and what is learned from them, against scikit-learn."""

import numpy as np
import pytest
import torch
from helpers import make_images
from scipy.stats import kstest
from sklearn.cluster import KMeans
from sklearn.svm import OneClassSVM

from medad.detectors.features.components import learn_components, projected
from medad.detectors.features.kmeans import KMeansDetector
from medad.detectors.features.ocsvm import OCSVM, OCSVMOptions, decision
from medad.detectors.features.sampled import Reservoir
from medad.detectors.registry import METHODS, make_detector

CPU = torch.device("cpu")
PLACES = ("ocsvm", "kmeans", "cnn_feature_dictionary", "nearest_patch")


def drawn(size, sizes, seed=0):
    torch.manual_seed(seed)
    reservoir, start = Reservoir(size, 1, CPU), 0
    for n in sizes:
        reservoir.add(torch.arange(start, start + n).float()[:, None])
        start += n
    return reservoir.drawn()[:, 0].numpy()


def test_a_reservoir_holds_different_rows_and_all_where_there_are_few():
    rows = drawn(20, [30, 1, 50, 19])
    assert len(set(rows)) == 20
    np.testing.assert_array_equal(np.sort(drawn(20, [3, 4])), np.arange(7))


def test_every_row_is_drawn_as_often():
    rows = np.concatenate([drawn(10, [40, 40, 20], seed) for seed in range(300)])
    assert kstest(rows / 99, "uniform").pvalue > 0.01


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(centre, 1, (60, 4)) for centre in (0, 6)])


@pytest.mark.parametrize("nu", [0.05, 0.3])
def test_the_svm_decides_as_scikit_learn_s(rows, nu):
    machine = OCSVM.estimate(OCSVMOptions(nu=nu), rows, 0)
    others = np.random.default_rng(1).normal(3, 4, (50, 4))
    expected = OneClassSVM(nu=nu, gamma="scale").fit(rows).decision_function(others)
    np.testing.assert_allclose(decision(machine, torch.from_numpy(others)), expected, rtol=1e-5, atol=1e-8)


def test_the_centres_are_scikit_learn_s(rows):
    options = KMeansDetector.options_type(clusters=3)
    expected = KMeans(3, n_init=3, random_state=5).fit(rows).cluster_centers_
    np.testing.assert_allclose(KMeansDetector.estimate(options, rows, 5)["centres"], expected)


def test_fewer_places_than_centres_are_all_centres():
    rows = np.array([[0.0, 0.0], [5.0, 5.0], [5.0, 5.0]])
    centres = KMeansDetector.estimate(KMeansDetector.options_type(), rows, 0)["centres"]
    assert {tuple(row) for row in centres.numpy()} == {(0, 0), (5, 5)}


@pytest.mark.parametrize("method", PLACES)
def test_a_strange_place_stands_out_and_scores_are_of_the_map(method):
    normal, test = make_images(12, seed=1), make_images(2, seed=3)
    test.pixels[1, :, 40:48, 8:16] = 255 - test.pixels[1, :, 40:48, 8:16]
    options = {"extractor": "pixels", "samples": 3000, "variance": 1.0}
    detector = make_detector(method, "tiny", device="cpu", jobs=1, **options).fit(normal)
    (found,) = detector.predict(test)
    maps = found.maps["anomaly_map"]
    np.testing.assert_allclose(found.scores["pred_score"], maps.max((1, 2)))
    np.testing.assert_allclose(found.scores["mean"], maps.mean((1, 2)), rtol=1e-5)
    assert METHODS[method].load().used.start in (-1, -2)


def test_the_map_is_the_distance_of_every_place_from_the_nearest_one(monkeypatch):
    normal, test = make_images(6, seed=1), make_images(3, seed=3)
    options = {"extractor": "pixels", "samples": 50_000}
    detector = make_detector("nearest_patch", "tiny", device="cpu", jobs=1, **options).fit(normal)
    x, y = (i.pixels.reshape(-1, 32, 2, 32, 2).mean((2, 4)) / 127.5 - 1 for i in (normal, test))
    z = (y.reshape(-1, 1) - x.mean()) / x.std()
    expected = np.abs(z - ((x.reshape(1, -1) - x.mean()) / x.std())).min(1).reshape(3, 32, 32)
    with torch.inference_mode():
        places, _ = detector.compare(torch.from_numpy(y[:, None]).float())
    np.testing.assert_allclose(places, expected, atol=1e-5)


def test_places_are_compared_by_components_of_standardised_descriptors(rows):
    detector = make_detector("kmeans", "tiny", device="cpu", jobs=1)
    components = learn_components(rows, 0.95)
    found = components | KMeansDetector.estimate(detector.options, projected(components, torch.from_numpy(rows)), 0)
    detector.tensors_ = {f"kmeans/{name}": value for name, value in found.items()}
    places, _ = detector.compare(torch.from_numpy(rows).float().T.reshape(1, 4, 12, 10))
    model = projected(components, torch.from_numpy(rows))
    expected = torch.cdist(model, found["centres"]).min(1).values
    np.testing.assert_allclose(places.flatten(), expected, rtol=1e-5)
