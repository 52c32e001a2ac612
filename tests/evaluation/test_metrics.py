"""Metrics against scikit-learn, torchmetrics and brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from torchmetrics.functional.classification import binary_auroc, binary_average_precision

from medad.evaluation import curves
from medad.evaluation.metrics import (
    auroc,
    average_precision,
    best_dice,
    chi_squared_distance,
    class_densities,
)

METRICS = [auroc, average_precision, chi_squared_distance]


@st.composite
def labelled_scores(draw):
    """Labels of both classes and scores with many ties."""
    n = draw(st.integers(2, 40))
    labels = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda x: 0 < sum(x) < n))
    scores = draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n))
    return np.array(labels), np.array(scores) / 4


@given(labelled_scores())
def test_ranking_metrics_equal_scikit_learn_and_torchmetrics(data):
    labels, scores = data
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    # torchmetrics would pass scores outside [0, 1] through a sigmoid, which keeps their order anyway.
    preds, target = torch.tensor(scores / 4 + 0.5), torch.tensor(labels)
    assert auroc(labels, scores) == pytest.approx(float(binary_auroc(preds, target)), abs=1e-6)
    assert average_precision(labels, scores) == pytest.approx(float(binary_average_precision(preds, target)), abs=1e-6)


@given(labelled_scores())
def test_auroc_is_the_share_of_pairs_in_order(data):
    labels, scores = data
    differences = scores[labels == 1][:, None] - scores[labels == 0]
    assert auroc(labels, scores) == pytest.approx(((differences > 0) + 0.5 * (differences == 0)).mean())
    assert auroc(labels, -scores) == pytest.approx(1 - auroc(labels, scores))


@given(labelled_scores(), st.randoms(use_true_random=False))
def test_order_of_items_and_monotone_scaling_do_not_matter(data, random):
    labels, scores = data
    order = random.sample(range(len(labels)), len(labels))
    for metric in (auroc, average_precision):
        assert metric(labels[order], np.exp(scores[order])) == pytest.approx(metric(labels, scores))


@given(labelled_scores())
def test_best_dice_is_the_maximum_over_all_thresholds(data):
    labels, scores = data
    dice = [2 * np.sum(labels & (scores >= t)) / (labels.sum() + np.sum(scores >= t)) for t in np.unique(scores)]
    assert best_dice(labels.reshape(1, 1, -1), scores.reshape(1, 1, -1)) == pytest.approx(max(dice))


def test_best_dice_pools_the_pixels_of_all_images():
    rng = np.random.default_rng(0)
    masks, maps = rng.random((3, 5, 4)) < 0.3, rng.random((3, 5, 4)).astype(np.float32)
    precision, recall, _ = precision_recall_curve(masks.ravel(), maps.ravel())
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert best_dice(masks, maps) == pytest.approx(f1.max())
    with pytest.raises(ValueError, match="must be"):
        best_dice(masks, maps[:, :4])


def test_equal_scores_are_chance():
    labels = np.array([0, 0, 0, 1])
    assert auroc(labels, np.ones(4)) == 0.5
    assert average_precision(labels, np.ones(4)) == 0.25
    assert chi_squared_distance(labels, np.ones(4)) == 0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("label", "missing"), [(0, "abnormal"), (1, "normal")])
def test_one_class_gives_nan_and_a_warning(metric, label, missing):
    with pytest.warns(RuntimeWarning, match=f"no {missing} items"):
        assert np.isnan(metric(np.full(3, label), np.arange(3)))


@pytest.mark.parametrize("metric", METRICS)
def test_wrong_input_is_refused_and_named(metric):
    with pytest.raises(ValueError, match="item 2 is nan"):
        metric([0, 1, 0], [0.1, 0.2, np.nan])
    with pytest.raises(ValueError, match="item 0 is inf"):
        metric([0, 1, 0], [np.inf, 0.2, 0.3])
    with pytest.raises(ValueError, match="no items"):
        metric([], [])
    with pytest.raises(ValueError, match="one length"):
        metric([0, 1], [0.1])
    with pytest.raises(ValueError, match="only 0"):
        metric([0, 2], [0.1, 0.2])


@pytest.mark.parametrize("official", [False, True])
def test_chi_squared_distance_is_the_formula(official):
    rng = np.random.default_rng(1)
    labels, scores = np.repeat([0, 1], 50), np.r_[rng.normal(size=50), rng.normal(2, size=50)]
    unit = (scores - scores.min()) / (scores.max() - scores.min())
    a, b = (np.histogram(unit[labels == c], 100, range=(0, 1), density=True)[0] for c in (0, 1))
    published = 0.5 * np.sum(((a - b) ** 2 + 1e-15) / (a + b + 1e-15))
    empty = int(((a + b) == 0).sum())
    assert empty > 0
    expected = published if official else published - 0.5 * empty
    assert chi_squared_distance(labels, scores, official=official) == pytest.approx(expected)


@given(labelled_scores(), st.integers(1, 50))
def test_chi_squared_distance_is_zero_for_equal_and_highest_for_disjoint_classes(data, bins):
    labels, scores = data
    assert chi_squared_distance(labels, scores, bins) <= bins * (1 + 1e-9)
    assert chi_squared_distance([0, 1], [0.0, 1.0], bins=max(bins, 2)) == pytest.approx(max(bins, 2))
    assert chi_squared_distance([0, 1] * 5, np.repeat(np.arange(5), 2), bins) == pytest.approx(0)


def test_densities_of_a_missing_class_are_zero():
    normal, abnormal = class_densities(np.zeros(4), np.arange(4), bins=10)
    assert normal.sum() == pytest.approx(10)
    assert not abnormal.any()


def test_curves_pass_through_the_points_of_each_threshold():
    labels, scores = np.array([0, 0, 1, 1]), np.array([1, 2, 2, 3])
    fpr, tpr = curves.roc_curve(labels, scores)
    np.testing.assert_allclose(fpr, [0, 0, 0.5, 1])
    np.testing.assert_allclose(tpr, [0, 0.5, 1, 1])
    recall, precision = curves.precision_recall_curve(labels, scores)
    np.testing.assert_allclose(recall, [0.5, 1, 1])
    np.testing.assert_allclose(precision, [1, 2 / 3, 0.5])


@given(labelled_scores(), st.data())
def test_weights_count_items_as_often_as_repeating_them(data, more):
    labels, scores = data
    counts = st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels))
    weights = np.array(more.draw(counts.filter(lambda w: {0, 1} == set(np.repeat(labels, w)))))
    tp, fp = curves.threshold_counts(labels.astype(bool), scores, weights[None])
    repeated = np.repeat(labels, weights), np.repeat(scores, weights)
    assert curves.auroc_of_counts(tp, fp)[0] == pytest.approx(roc_auc_score(*repeated))
    assert curves.average_precision_of_counts(tp, fp)[0] == pytest.approx(average_precision_score(*repeated))
