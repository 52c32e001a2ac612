"""Metrics at a threshold against scikit-learn and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from medad.evaluation.metrics import (
    accuracy,
    balanced_accuracy,
    confusion,
    f1,
    fpr_at_tpr,
    oracle_f1,
    oracle_youden,
    precision,
    recall,
    sensitivity,
    specificity,
)
from tests.evaluation.test_metrics import labelled_scores

THEIRS = {
    recall: sk.recall_score,
    f1: sk.f1_score,
    accuracy: sk.accuracy_score,
    balanced_accuracy: sk.balanced_accuracy_score,
    specificity: lambda labels, flagged: sk.recall_score(labels, flagged, pos_label=0),
}


@given(labelled_scores(), st.integers(-7, 7))
def test_metrics_at_a_threshold_equal_scikit_learn(data, quarter):
    labels, scores = data
    flagged = scores >= quarter / 4
    (tn, fp), (fn, tp) = sk.confusion_matrix(labels, flagged, labels=[0, 1])
    assert confusion(labels, scores, quarter / 4) == (tp, fp, tn, fn)
    for mine, theirs in THEIRS.items():
        assert mine(labels, scores, quarter / 4) == pytest.approx(theirs(labels, flagged))
    if flagged.any():
        assert precision(labels, scores, quarter / 4) == pytest.approx(sk.precision_score(labels, flagged))


def test_what_is_undefined_is_said():
    with pytest.warns(RuntimeWarning, match="nothing is flagged"):
        assert precision([0, 1], [0.1, 0.2], 1) == 0
    assert f1([0, 1], [0.1, 0.2], 1) == 0
    with pytest.warns(RuntimeWarning, match="no abnormal items"):
        assert np.isnan(sensitivity([0, 0], [0.1, 0.2], 0))
    with pytest.warns(RuntimeWarning, match="no normal items"):
        assert np.isnan(balanced_accuracy([1, 1], [0.1, 0.2], 0))
    for metric in (precision, f1, accuracy):
        with pytest.warns(RuntimeWarning, match="no normal items"):
            assert np.isnan(metric([1, 1], [0.1, 0.2], 0))
        with pytest.warns(RuntimeWarning, match="no abnormal items"):
            assert np.isnan(metric([0, 0], [0.1, 0.2], 1))
    for metric in (oracle_f1, oracle_youden):
        with pytest.warns(RuntimeWarning, match="no abnormal items"):
            assert all(np.isnan(metric([0, 0], [0.1, 0.2])))
    with pytest.warns(RuntimeWarning, match="no normal items"):
        assert np.isnan(fpr_at_tpr([1, 1], [0.1, 0.2]))
    with pytest.raises(ValueError, match="item 1 is nan"):
        accuracy([0, 1], [0.1, np.nan], 0)
    with pytest.raises(ValueError, match="threshold nan"):
        accuracy([0, 1], [0.1, 0.2], float("nan"))
    with pytest.raises(ValueError, match="tpr 0"):
        fpr_at_tpr([0, 1], [0.1, 0.2], 0)


def _youden(labels, scores, threshold):
    return recall(labels, scores, threshold) + specificity(labels, scores, threshold) - 1


@given(labelled_scores())
def test_oracles_are_the_best_of_all_thresholds_and_the_highest_of_the_best(data):
    labels, scores = data
    thresholds = np.unique(scores)
    all_f1 = np.array([sk.f1_score(labels, scores >= t) for t in thresholds])
    fpr, tpr, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    assert oracle_f1(labels, scores).value == pytest.approx(all_f1.max())
    assert oracle_f1(labels, scores).threshold == thresholds[np.isclose(all_f1, all_f1.max())].max()
    value, threshold = oracle_youden(labels, scores)
    assert threshold in thresholds
    assert value == pytest.approx(recall(labels, scores, threshold) + specificity(labels, scores, threshold) - 1)
    assert value == pytest.approx((tpr - fpr)[1:].max())
    best = np.isclose(all_youden := [_youden(labels, scores, t) for t in thresholds], max(all_youden))
    assert threshold == thresholds[best].max()


@given(labelled_scores(), st.sampled_from([0.05, 0.5, 0.95, 1.0]))
def test_fpr_at_tpr_by_brute_force(data, tpr):
    labels, scores = data
    rates = [
        ((scores >= t)[labels == 1].mean(), (scores >= t)[labels == 0].mean()) for t in [np.inf, *np.unique(scores)]
    ]
    best = min(false for true, false in rates if true >= tpr - 1e-12)
    assert fpr_at_tpr(labels, scores, tpr) == pytest.approx(best)
    assert fpr_at_tpr(labels, scores, tpr, interpolate=True) <= best + 1e-12


def test_fpr_at_tpr_between_two_thresholds():
    labels, scores = [1, 1, 0, 0], [3, 1, 2, 1]  # ROC: (0, 0), (0, 1/2), (1/2, 1/2), (1, 1)
    assert fpr_at_tpr(labels, scores, 0.5) == 0
    assert fpr_at_tpr(labels, scores, 0.75) == 1
    assert fpr_at_tpr(labels, scores, 0.75, interpolate=True) == pytest.approx(0.75)
    assert fpr_at_tpr([1] * 20 + [0], [*range(20), -1], 0.95) == 0
