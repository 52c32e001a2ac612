"""PatchCore: its score against the paper's formula, its coreset against a plain greedy algorithm."""

import numpy as np
import pytest
import torch
from helpers import make_images
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs

from medad.detectors.features.coreset import Coreset, farthest_first
from medad.detectors.features.patchcore import projection, weights
from medad.detectors.registry import make_detector

CPU = torch.device("cpu")


def plain(rows, count):
    """Return the rows that the greedy algorithm takes, by all distances."""
    distances, taken = cdist(rows, rows), [0]
    for _ in range(count - 1):
        taken.append(int(distances[taken].min(0).argmax()))
    return taken


def streamed(rows, count, chunk, projected=None):
    coreset = Coreset(len(rows), count, rows.shape[1], projected, CPU)
    for part in torch.from_numpy(rows).float().split(chunk):
        coreset.add(part)
    assert int(coreset.tensors["taken"]) == count
    return coreset.tensors["rows"].numpy()


def radius(rows, chosen):
    return cdist(rows, chosen).min(1).max()


def test_it_takes_the_rows_of_a_plain_greedy_algorithm():
    rows = np.random.default_rng(0).normal(50, 1, (300, 6))
    np.testing.assert_array_equal(farthest_first(torch.from_numpy(rows), 40), plain(rows, 40))


@pytest.mark.parametrize("count", [10, 60, 200])
def test_a_single_chunk_ends_as_the_plain_algorithm_does(count):
    rows = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    np.testing.assert_array_equal(streamed(rows, count, 200), rows[plain(rows, count)])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chunk", [30, 100, 331])
def test_chunks_cover_nearly_as_well_as_the_plain_algorithm(seed, chunk):
    rows = make_blobs(1500, 6, centers=20, random_state=seed)[0].astype(np.float32)  # in random order
    best = radius(rows, rows[plain(rows, 60)])
    assert radius(rows, streamed(rows, 60, chunk)) < 1.3 * best


def test_equal_rows_are_taken_once_each():
    assert len(farthest_first(torch.ones(9, 2), 9).unique()) == 9


def test_chunks_go_on_from_what_was_taken_before():
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(100, 4)))
    before, rest = rows[:30], rows[30:]
    distances = cdist(rest, before).min(1)
    for taken in farthest_first(rest, 20, before):
        assert distances[taken] == distances.max()
        distances = np.minimum(distances, cdist(rest, rest[taken][None])[:, 0])


def test_a_chunk_may_be_too_small_to_add_a_row():
    rows = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    assert len(np.unique(streamed(rows, 3, 4), axis=0)) == 3


def test_the_projection_nearly_keeps_distances():
    assert projection(128, CPU) is None
    torch.manual_seed(0)
    x, y = torch.randn(2, 200, 600)
    ratio = ((x - y) @ projection(600, CPU)).norm(dim=1) / (x - y).norm(dim=1)
    assert (ratio - 1).abs().mean() < 0.1


def test_the_weight_is_the_paper_s():
    rng = np.random.default_rng(0)
    bank, row = rng.normal(size=(30, 4)), rng.normal(size=(1, 4)) + 2
    distances = cdist(row, bank)[0]
    match = distances.argmin()
    around = np.argsort(cdist(bank[[match]], bank)[0])[:9]
    expected = 1 - np.exp(distances[match]) / np.exp(distances[around]).sum()
    given = [torch.from_numpy(array) for array in (row, bank)]
    found = weights(*given, torch.tensor([match]), 9, torch.from_numpy(distances[[match]]))
    np.testing.assert_allclose(found, [expected])


def test_the_detector_compares_with_all_places_if_all_are_kept():
    normal, test = make_images(4, seed=1), make_images(3, seed=3)
    options = {"extractor": "pixels", "share": 1.0, "most_rows": 4096}
    detector = make_detector("patchcore", "tiny", device="cpu", jobs=1, **options).fit(normal)
    assert detector.learned("bank").shape == (4096, 1)
    described = torch.rand(2, 1, 32, 32) * 2 - 1
    places, scores = detector.compare(described)
    expected = cdist(described.reshape(-1, 1), detector.learned("bank")).min(1)
    np.testing.assert_allclose(places.flatten(), expected, atol=1e-7)
    assert (scores["weighted"] <= places.amax((1, 2))).all()
    (found,) = detector.predict(test)
    np.testing.assert_array_equal(found.scores["pred_score"], found.scores["weighted"])


def test_one_normal_place_has_no_neighbours():
    options = {"extractor": "pixels", "most_rows": 1}
    detector = make_detector("patchcore", "tiny", device="cpu", jobs=1, **options).fit(make_images(4, seed=1))
    (found,) = detector.predict(make_images(2, seed=3))
    assert (found.scores["weighted"] > 0).all()
