"""Choosing by AUC_u, against AUROCs that are known."""

import numpy as np
import pytest

from medad.evaluation.metrics import auroc
from medad.evaluation.selection import chosen, judge, standardised


def pools(seed=0, count=400, share=0.5):
    """Return which images are unlabeled, and which are abnormal: a share of the unlabeled ones."""
    rng = np.random.default_rng(seed)
    unlabeled = np.repeat([0, 1], count)
    return rng, unlabeled, (unlabeled == 1) & (rng.random(2 * count) < share)


def test_the_better_of_two_scores_is_chosen_without_its_labels():
    rng, unlabeled, abnormal = pools()
    noise = rng.normal(size=len(unlabeled))
    scores = {"weak": abnormal + noise, "strong": 3 * abnormal + noise}
    assert chosen(unlabeled, scores) == "strong"
    judged = judge(unlabeled, scores, scores["strong"])
    assert judged["strong"].behind == judged["strong"].behind_se == 0
    assert judged["weak"].behind == pytest.approx(judged["strong"].auc_u - judged["weak"].auc_u)
    assert judged["weak"].low < judged["weak"].auc_u < judged["weak"].high and judged["weak"].behind_se > 0


def test_auc_u_is_what_the_share_of_abnormal_images_makes_of_the_auroc():
    rng, unlabeled, abnormal = pools(count=4000, share=0.3)
    scores = 2 * abnormal + rng.normal(size=len(unlabeled))
    expected = 0.3 * auroc(abnormal, scores) + 0.7 / 2
    assert judge(unlabeled, {"a": scores}, scores)["a"].auc_u == pytest.approx(expected, abs=0.02)


def test_of_equal_ones_the_earlier_is_chosen():
    rng, unlabeled, abnormal = pools()
    scores = abnormal + rng.normal(size=len(unlabeled))
    assert chosen(unlabeled, {"first": scores, "second": 7 * scores + 3}) == "first"


def test_standardised_scores_keep_their_order_and_lie_around_the_normal_ones():
    scores, normal = np.random.default_rng(0).gamma(2, size=60) * 50, np.arange(60) < 30
    found = standardised(scores, normal)
    assert np.median(found[normal]) == pytest.approx(0)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(scores))
    assert np.isfinite(standardised(np.zeros(60), normal)).all()
