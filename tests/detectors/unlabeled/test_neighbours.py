"""Ratio of densities and distances by nearest neighbours, against scikit-learn."""

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.neighbors import NearestNeighbors

from medad.detectors.contract.division import FoldData
from medad.detectors.unlabeled.fold_fits import HELD_SCORES
from medad.detectors.unlabeled.knn_ratio import KNNRatio

RNG = np.random.default_rng(0)


def test_ratios_are_scikit_learn_s():
    parts = [RNG.normal(3, 2, (count, 7)).astype(np.float32) for count in (40, 30, 10, 8)]
    data = FoldData(*parts, np.arange(70), 0)
    mean, scale = data.rows.mean(0), data.rows.std(0)
    normal, unlabeled, held = ((part - mean) / scale for part in (data.normal, data.unlabeled, data.held))
    far, near = (NearestNeighbors(n_neighbors=5).fit(bank).kneighbors(held)[0][:, -1] for bank in (normal, unlabeled))
    found = KNNRatio.learn_fold(None, data)[HELD_SCORES]
    np.testing.assert_allclose(found, np.log(far / near), rtol=1e-4, atol=1e-5)


def test_ranks_agree_with_the_known_ratio():
    normal, held = RNG.normal(size=(4000, 1)), np.linspace(-1, 3, 50)[:, None]
    unlabeled = np.concatenate([RNG.normal(size=(2000, 1)), RNG.normal(2, 1, (2000, 1))])
    parts = (part.astype(np.float32) for part in (normal, unlabeled, held, held[:0]))
    found = KNNRatio.learn_fold(None, FoldData(*parts, np.arange(8000), 0))[HELD_SCORES]
    assert spearmanr(found, held[:, 0]).statistic > 0.7  # a ratio of five to five is noisy


def test_equal_images_and_few_neighbours_are_finite():
    parts = [np.ones((count, 3), np.float32) for count in (3, 2, 1, 1)]
    assert torch.isfinite(KNNRatio.learn_fold(None, FoldData(*parts, np.arange(5), 0))[HELD_SCORES]).all()
