"""The shortcut test against scikit-learn's own cross-validation."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.evaluation.shortcut import histograms, one_hot, shortcut, together


def test_auroc_against_scikit_learn():
    random = np.random.default_rng(0)
    second = np.arange(200) % 3 == 0
    features = random.normal(size=(200, 5)) + second[:, None] * [1, 0, 0, 0.5, 0]
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, second, cv=folds, method="decision_function")
    told = shortcut(features, second)
    assert told.auroc == pytest.approx(roc_auc_score(second, scores))
    assert told.low < told.auroc < told.high


def test_what_tells_only_the_patient_tells_nothing():
    """Each patient has a number of his own and one class: only folds that part his images could use that."""
    patients = np.repeat(np.arange(40), 5)
    second = patients % 2 == 1
    features = one_hot([str(p) for p in patients])
    assert shortcut(features, second).auroc > 0.95
    assert shortcut(features, second, [f"p{p}" for p in patients]).auroc < 0.6


def test_too_few_of_a_set_cannot_be_tested():
    assert shortcut(np.zeros((8, 1)), np.arange(8) < 3) is None
    assert shortcut(np.zeros((8, 1)), np.zeros(8, bool)) is None


def test_histograms_and_sets_of_features():
    images = np.array([[[0, 15], [16, 255]], [[255, 255], [255, 255]]], np.uint8)
    shares = histograms(images, 256)
    assert shares.shape == (2, 16) and shares[0, [0, 1, 15]].tolist() == [0.5, 0.25, 0.25] and shares[1, 15] == 1
    assert one_hot(["b", "a", "b"]).tolist() == [[0, 1], [1, 0], [0, 1]]
    assert together({"x": np.ones((2, 1)), "y": np.zeros((2, 3))}).shape == (2, 4)
