"""Forests as plain arrays, against scikit-learn."""

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier

from medad.detectors.unlabeled.forest import packed, probability


def test_probabilities_are_scikit_learn_s():
    rng = np.random.default_rng(0)
    rows, pool = rng.normal(size=(80, 6)).astype(np.float32), np.repeat([0, 1], [50, 30])
    rows[:, 2] = np.round(rows[:, 2])  # thresholds between equal values
    for least in (1, 7, 50):
        forest = ExtraTreesClassifier(20, min_samples_leaf=least, class_weight="balanced", random_state=1)
        forest.fit(rows, pool)
        new = np.concatenate([rows, rng.normal(size=(50, 6)).astype(np.float32)])
        found = probability(packed(forest), torch.from_numpy(new))
        np.testing.assert_allclose(found, forest.predict_proba(new)[:, 1], atol=1e-6)


def test_a_value_between_a_threshold_and_its_rounding_goes_the_same_way():
    rows, pool = np.array([[0.0], [1.0]], np.float32), np.array([0, 1])
    for seed in range(20):
        forest = ExtraTreesClassifier(1, random_state=seed).fit(rows, pool)
        threshold = forest.estimators_[0].tree_.threshold[0]
        near = np.float32(threshold)
        new = np.array([[np.nextafter(near, np.float32(k))] for k in (-1, 2)] + [[near]], np.float32)
        found = probability(packed(forest), torch.from_numpy(new))
        np.testing.assert_array_equal(found, forest.predict_proba(new)[:, 1])


def test_five_forests_stay_small_however_many_images():
    from medad.detectors.unlabeled.nu_trees import LEAVES

    rng = np.random.default_rng(0)
    rows, pool = rng.normal(size=(3000, 5)).astype(np.float32), rng.integers(0, 2, 3000)
    forest = ExtraTreesClassifier(4, min_samples_leaf=-(-3000 // LEAVES), random_state=1).fit(rows, pool)
    bytes_of_a_tree = sum(tensor.nbytes for tensor in packed(forest).values()) / 4
    assert bytes_of_a_tree * 500 * 5 < 20e6
