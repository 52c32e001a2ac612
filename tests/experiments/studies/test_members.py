"""Ensembles drawn from pooled members."""

import math

import numpy as np
import pytest
import torch
from helpers import make_images
from sklearn.metrics import roc_auc_score

from medad.detectors.ddad.discrepancy import a_inter, a_intra
from medad.detectors.registry import make_detector
from medad.experiments.studies.members import _rows, ensembles, maps_of_ensembles
from medad.experiments.studies.networks import scores
from medad.networks.autoencoder import Reconstruction


@pytest.mark.parametrize(("members", "size", "expected"), [(9, 3, 30), (5, 3, 10), (9, 9, 1), (9, 7, 30)])
def test_ensembles_are_different_sets_of_members(members, size, expected):
    found = ensembles(members, size)
    assert len(found) == len(set(found)) == expected <= math.comb(members, size)
    assert all(len(set(places)) == size and max(places) < members for places in found)
    assert found == ensembles(members, size)


def test_maps_are_those_of_the_members_drawn():
    ndm, udm = (Reconstruction(torch.randn(5, 2, 1, 8, 8), torch.randn(5, 2, 1, 8, 8)) for _ in range(2))
    found = maps_of_ensembles(ndm, udm)
    assert len(found) == 2 * (10 + 1)
    torch.testing.assert_close(found["a_intra/5/0"], a_intra(ndm))
    torch.testing.assert_close(found["a_inter/5/0"], a_inter(ndm, udm))
    one = [Reconstruction(module.mean[:3], module.log_variance[:3]) for module in (ndm, udm)]
    torch.testing.assert_close(found["a_inter/3/0"], a_inter(*one))


def test_members_of_runs_are_pooled():
    detectors = [make_detector("ddad", "tiny", seed=seed, device="cpu", jobs=1, refine=False) for seed in (0, 1)]
    for detector in detectors:
        detector.fit(make_images(8, seed=1), make_images(6, seed=2, name="pool"))
    images = make_images(5, seed=3)
    (prediction,) = detectors[0].predict(images)
    alone = scores(detectors[:1], images, lambda ndm, udm: {"a_inter": a_inter(ndm, udm)})
    np.testing.assert_allclose(alone["a_inter"], prediction.scores["a_inter"], rtol=1e-4)
    counts = scores(
        detectors, images, lambda ndm, udm: {"n": torch.full((ndm.mean.shape[1], 1, 1), float(len(ndm.mean)))}
    )
    assert (counts["n"] == 2 * len(detectors[0].ensembles[0].modules["ndm"])).all()


def test_rows_show_mean_spread_and_range():
    labels, rng = np.repeat([0, 1], 20), np.random.default_rng(0)
    found = {f"{name}/3/{i}": rng.normal(size=40) for name in ("a_intra", "a_inter") for i in range(4)}
    _, row = _rows(found, labels)
    expected = [100 * roc_auc_score(labels, found[f"a_inter/3/{i}"]) for i in range(4)]
    assert row[:2] == ["3", "4"]
    spread = f"{np.mean(expected):.1f} ± {np.std(expected, ddof=1):.1f}"
    assert row[3] == f"{spread} [{min(expected):.1f}, {max(expected):.1f}]"
