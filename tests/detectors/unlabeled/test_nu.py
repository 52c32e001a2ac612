"""Normal against unlabeled: exact maps, known ratios, scores out of fold."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.data.imageset import ImageSet
from medad.detectors.registry import load_detector, make_detector
from medad.detectors.unlabeled.nu import regressions
from medad.evaluation.pools import STRENGTHS

SHIFT = np.array([30, -20, 10, 0])


def images(count, abnormal=0, seed=0, bright=()):
    """Return pictures in which four pixels vary, the abnormal first; those that are `bright` have a white corner."""
    rng = np.random.default_rng(seed)
    values = rng.normal(128, 20, (count, 4))
    values[:abnormal] += SHIFT
    pixels = np.full((count, 1, 32, 32), 90, np.uint8)
    pixels[:, 0, 10, 10:14] = values.clip(0, 255)
    pixels[list(bright), 0, 0, 0] = 255
    return ImageSet(pixels, tuple(f"{seed}_{i}.png" for i in range(count)), ("",) * count)


NORMAL, POOL, TEST = images(300, seed=1), images(260, 130, seed=2), images(60, 30, seed=3)


def make(**options):
    return make_detector("nu", "paper", extractor="pixels", size=32, device="cpu", jobs=1, **options)


@cache
def fitted():
    return make().fit(NORMAL, POOL)


def rows_of(*parts):
    return np.concatenate([part.pixels.reshape(len(part), -1) for part in parts]).astype(np.float32) / 127.5 - 1


def test_ranks_agree_with_those_of_the_known_ratio():
    ratio = TEST.pixels[:, 0, 10, 10:14].astype(float) @ SHIFT  # Gaussians of one variance: its logarithm is linear
    assert spearmanr(fitted().scores(TEST)["nu"], ratio).statistic > 0.95


def test_the_mean_of_the_map_is_the_score_less_the_intercept():
    detector = fitted()
    (prediction,) = detector.predict(TEST)
    chosen = detector.chosen
    intercept = np.mean([float(detector.tensors_[f"nu_{k}/intercepts"][chosen]) for k in range(1, 6)])
    means = prediction.maps["contribution"].astype(float).mean((1, 2))
    np.testing.assert_allclose(means, prediction.scores["nu"] - intercept, atol=1e-5)
    (known,) = detector.predict(POOL.subset([0, 1]))
    folds = [
        int(fold) + 1 for fold in detector._shares(torch.from_numpy(rows_of(POOL)[:2]).view(2, 1, 32, 32)).argmax(1)
    ]
    own = [float(detector.tensors_[f"nu_{k}/intercepts"][chosen]) for k in folds]
    means = known.maps["contribution"].astype(float).mean((1, 2))
    np.testing.assert_allclose(means, known.scores["nu"] - own, atol=1e-5)


def test_the_mean_over_folds_ranks_as_a_model_of_all_images():
    whole = regressions(rows_of(NORMAL, POOL), np.repeat([0, 1], [300, 260]))
    refitted = rows_of(TEST) @ whole["weights"][fitted().chosen].numpy()
    assert spearmanr(fitted().scores(TEST)["nu"], refitted).statistic > 0.99


def test_a_fold_s_regressions_are_scikit_learn_s():
    rows, pool = rows_of(NORMAL, POOL), np.repeat([0, 1], [300, 260])
    found = regressions(rows, pool)
    for i, strength in enumerate(STRENGTHS):
        alone = make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, tol=1e-8)
        ).fit(rows.astype(float), pool)
        linear = rows @ found["weights"][i].numpy() + float(found["intercepts"][i])
        np.testing.assert_allclose(linear, alone.decision_function(rows.astype(float)), atol=2e-2, rtol=2e-2)


def test_the_strength_is_that_of_a_search_over_the_same_folds():
    detector = fitted()
    rows, pool = rows_of(NORMAL, POOL), np.repeat([0, 1], [300, 260])
    x = torch.from_numpy(rows).view(-1, 1, 32, 32)
    fold = detector._shares(x).argmax(1).numpy()
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)]

    def search(strength):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=1000))
        return cross_val_score(model, rows, pool, cv=folds, scoring="roc_auc").mean()

    assert search(STRENGTHS[detector.chosen]) == pytest.approx(max(map(search, STRENGTHS)), abs=1e-3)


def test_the_order_of_the_images_does_not_matter():
    order = np.random.default_rng(0).permutation(260)
    other = make().fit(NORMAL.subset(np.arange(300)[::-1]), POOL.subset(order))
    for part in (TEST, POOL):
        np.testing.assert_array_equal(other.scores(part)["nu"], fitted().scores(part)["nu"])
    assert other.auc_u_ == pytest.approx(fitted().auc_u_)


def test_what_only_memory_could_rank_first_does_not_come_first():
    pool = images(60, seed=5, bright=[7])
    detector = make().fit(images(60, seed=4), pool)
    scores = detector.scores(pool)["nu"]
    x = torch.from_numpy(rows_of(pool))
    shares = detector._shares(x.view(-1, 1, 32, 32))
    each = torch.stack([detector.judge_fold(model, x) for model in detector._models], 1)
    remembered = (each * (shares == 0)).sum(1)
    assert int(remembered.argmax()) == 7 != int(scores.argmax())
    np.testing.assert_allclose(scores, (each * shares).sum(1), atol=1e-6)


def test_scores_are_those_of_predict_and_a_saved_run_knows_its_images(tmp_path):
    fitted().save(tmp_path)
    loaded = load_detector(tmp_path, device="cpu")
    for part in (NORMAL, POOL, TEST):
        predicted = np.concatenate([p.scores["nu"] for p in fitted().predict(part)])
        np.testing.assert_allclose(fitted().scores(part)["nu"], predicted, rtol=1e-6)
        np.testing.assert_array_equal(loaded.scores(part)["nu"], fitted().scores(part)["nu"])
    assert loaded.auc_u_ == fitted().auc_u_


def test_equal_pools_cannot_be_told_apart_and_it_says_so(capsys):
    detector = make().fit(NORMAL, NORMAL)
    assert detector.auc_u_[0] == pytest.approx(0.5)
    assert "there is nothing to learn" in capsys.readouterr().err
    again = make().fit(images(150, seed=6), images(150, seed=7))
    assert abs(again.auc_u_[0] - 0.5) < 0.12
    assert "there is nothing to learn" in capsys.readouterr().err
    fitted()  # and where there is something
    make().fit(NORMAL, POOL)
    assert "nothing" not in capsys.readouterr().err


def test_one_unlabeled_image_is_too_few(capsys):
    detector = make().fit(NORMAL, POOL.subset([0]))
    assert "one-class" in capsys.readouterr().err
    assert detector.auc_u_ is None and {*detector.scores(TEST)} == {"distance", "pred_score"}
