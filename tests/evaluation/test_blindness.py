"""Figures of changed images beside the same unchanged ones, and what counts as blind."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from medad.evaluation.blindness import FEWEST, is_blind, is_found, mean_share, pair_auroc
from medad.evaluation.intervals import auroc_interval


def test_the_auroc_is_that_of_all_pairs_and_members_are_averaged():
    rng = np.random.default_rng(0)
    unchanged, changed = rng.normal(size=(2, 3, 30))
    labels = np.repeat([0, 1], 30)
    each = [roc_auc_score(labels, np.concatenate(pair)) for pair in zip(unchanged, changed, strict=True)]
    assert pair_auroc(unchanged, changed).mean == pytest.approx(np.mean(each))
    assert pair_auroc(unchanged[0], changed[0]).mean == pytest.approx(each[0])


def test_pairs_tell_more_than_images_that_are_unlike():
    rng = np.random.default_rng(0)
    unchanged = rng.normal(size=60)
    changed = unchanged + 0.1 * rng.normal(size=60)
    found = pair_auroc(unchanged, changed)
    low, high = auroc_interval(np.repeat([0, 1], 60), np.concatenate([unchanged, changed]))
    assert found.high - found.low < 0.6 * (high - low)


@pytest.mark.parametrize("count", [FEWEST, 40, 100])
def test_scores_that_do_not_move_are_blind_and_those_that_all_rise_are_found(count):
    scores = np.random.default_rng(0).normal(size=count)
    same, risen = pair_auroc(scores, scores), pair_auroc(scores, scores + 10)
    assert same.mean == 0.5 and same.low < 0.5 < same.high and is_blind(same, 0.5) and not is_found(same, 0.5)
    assert risen.mean == 1 and risen.low < 1 and is_found(risen, 0.5) and not is_blind(risen, 0.5)
    few = pair_auroc(scores[:16], scores[:16])
    assert not is_blind(few, 0.5)


def test_what_so_few_images_cannot_tell_is_neither_blind_nor_found():
    unchanged, changed = np.random.default_rng(1).normal(size=(2, FEWEST))
    found = pair_auroc(unchanged, changed)
    assert not is_blind(found, 0.5) and not is_found(found, 0.5)


def test_intervals_of_pairs_hold_the_truth():
    rng = np.random.default_rng(0)
    truth, hits = norm.cdf(0.5 / np.sqrt(2)), []
    for _ in range(400):
        unchanged = rng.normal(size=40)
        changed = 0.8 * unchanged + 0.6 * rng.normal(size=40) + 0.5
        found = pair_auroc(unchanged, changed)
        hits.append(found.low <= truth <= found.high)
    assert np.mean(hits) > 0.93


def test_means_of_shares_lie_between_their_ends():
    values = np.random.default_rng(0).beta(1, 9, 40)
    found = mean_share(values)
    assert found.mean == pytest.approx(values.mean()) and 0 < found.low < found.mean < found.high < 1
    assert is_blind(mean_share(np.full(40, 0.01)), 0.01) and not is_blind(mean_share(np.full(40, 0.5)), 0.01)
    assert mean_share(np.ones(40)).low < 1
