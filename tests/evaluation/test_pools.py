"""Normal against unlabeled: scikit-learn's own search is the reference."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.evaluation.pools import STRENGTHS, folds_of, normal_against_unlabeled


def draw(shift, normal=60, unlabeled=40, features=6):
    """Two Gaussian pools; the first features of the unlabeled are shifted."""
    rng = np.random.default_rng(0)
    pools = rng.normal(5, 2, (normal, features)), rng.normal(5, 2, (unlabeled, features))
    pools[1][:, :2] += shift
    return pools


def pipeline(strength):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=1000))


@pytest.mark.parametrize("shift", [0.3, 3])
def test_as_a_grid_search_finds_it(shift):
    normal, unlabeled = draw(shift)
    features, pool = np.concatenate([normal, unlabeled]), np.repeat([0, 1], [60, 40])
    standard = StandardScaler().fit_transform(features)
    search = GridSearchCV(
        LogisticRegression(class_weight="balanced", max_iter=1000),
        {"C": STRENGTHS},
        scoring="roc_auc",
        cv=StratifiedKFold(5, shuffle=True, random_state=3),
    ).fit(standard, pool)
    weights = normal_against_unlabeled(normal, unlabeled, seed=3)
    np.testing.assert_allclose(features @ weights[:-1] + weights[-1], search.decision_function(standard), rtol=1e-6)


@pytest.mark.parametrize(("normal", "unlabeled", "features"), [(4, 40, 6), (60, 3, 6), (1, 1, 6), (60, 40, 1)])
def test_too_few_images_or_one_feature_take_the_smallest(normal, unlabeled, features):
    pools = draw(3, normal, unlabeled, features)
    together, pool = np.concatenate(pools), np.repeat([0, 1], [normal, unlabeled])
    expected = pipeline(STRENGTHS[0]).fit(together, pool).decision_function(together)
    weights = normal_against_unlabeled(*pools)
    np.testing.assert_allclose(together @ weights[:-1] + weights[-1], expected, rtol=1e-6, atol=1e-12)


def test_a_single_feature_points_to_the_unlabeled_pool():
    normal, unlabeled = draw(-3, features=1)
    weights = normal_against_unlabeled(normal, unlabeled)
    assert weights[0] < 0


def test_constants_weigh_nothing():
    normal, unlabeled = draw(3)
    normal[:, 3] = unlabeled[:, 3] = 0.1
    weights = normal_against_unlabeled(normal, unlabeled)
    assert abs(weights[3]) < 1e-12 and np.isfinite(weights).all() and (weights[:2] > 0).all()
    assert np.abs(normal_against_unlabeled(np.full((6, 3), 0.1), np.full((6, 3), 0.1))).max() < 1e-12


def test_equal_pools_say_nothing():
    normal, _ = draw(0)
    weights = normal_against_unlabeled(normal, normal)
    scores = np.concatenate([normal, normal]) @ weights[:-1]
    assert roc_auc_score(np.repeat([0, 1], len(normal)), scores) == pytest.approx(0.5)


def test_patients_stay_in_one_fold():
    pool = np.repeat([0, 1], 20)
    patients = [str(i // 2) for i in range(20)] + [str(i // 4) for i in range(16)] + [""] * 4
    folds = folds_of(pool, 0, patients)
    assert len(folds) == 5
    for train, test in folds:
        assert not {patients[i] for i in train} & {patients[i] for i in test} - {""}
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(40))


def testfolds_of_without_one_of_the_pools_are_none():
    pool = np.repeat([0, 1], 10)
    assert folds_of(pool, 0, ["a"] * 10 + ["b"] * 10) == []
    assert folds_of(pool, 0, ["a"] * 10 + [str(i) for i in range(10)]) == []
    assert len(folds_of(pool, 2**70, None)) == 5  # any seed
