"""Detectors as scikit-learn's outlier detectors."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from medad.detectors.sklearn_adapter import SklearnDetector
from medad.errors import UserError

TINY = {"preset": "tiny", "device": "cpu", "jobs": 1}


AE = SklearnDetector("ae", options={"size": 32}, **TINY)
# Without ASR-Net, whose scores after so few steps are all but equal.
DDAD = SklearnDetector("ddad", options={"backbone": "ae", "refine": False, "size": 32}, **TINY)


@parametrize_with_checks([AE, DDAD])
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    normal = rng.normal(128, 10, (40, 8 * 6)).clip(0, 255)
    return normal, np.full((3, 8 * 6), 255.0)


def test_abnormal_images_have_low_scores_and_negative_decisions(digits):
    normal, abnormal = digits
    adapter = SklearnDetector("ae", image_shape=(8, 6), value_range=(0, 255), contamination=0.1, **TINY).fit(normal)
    assert adapter.score_samples(abnormal).max() < np.median(adapter.score_samples(normal))
    assert (adapter.predict(normal) == -1).sum() == 4
    np.testing.assert_array_equal(adapter.decision_function(normal), adapter.score_samples(normal) - adapter.offset_)
    np.testing.assert_array_equal(adapter.predict(abnormal) == -1, adapter.decision_function(abnormal) < 0)


def test_scores_do_not_depend_on_what_else_is_scored(digits):
    normal, _ = digits
    adapter = SklearnDetector("aeu", **TINY).fit(normal)
    together = adapter.score_samples(normal)
    np.testing.assert_array_equal([adapter.score_samples(row[None])[0] for row in normal], together)


def test_unlabeled_images_colour_and_pipelines(digits):
    normal, abnormal = digits
    ddad = SklearnDetector("ddad", image_shape=(3, 4, 4), **TINY)
    assert ddad.fit(normal, unlabeled=np.concatenate([normal, abnormal])).detector_.has_unlabeled_
    assert not clone(ddad).fit(normal).detector_.has_unlabeled_
    assert ddad.detector_.options.channels == 3
    pipeline = make_pipeline(FunctionTransformer(np.sqrt), SklearnDetector("ae", **TINY)).fit(normal)
    assert set(pipeline.predict(normal)) == {-1, 1}


def test_seeds_come_from_the_random_state(digits):
    normal, _ = digits
    one, same, other = (
        SklearnDetector("ae", random_state=np.random.RandomState(seed), **TINY).fit(normal).score_samples(normal)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"image_shape": (5, 5)}, "does not fit 48 features"),
        ({"image_shape": 48}, "image_shape 48: "),
        ({"image_shape": (48,)}, "image_shape .*: .C, H, W. or"),
        ({"image_shape": (8, 2, 3)}, "with 1 or 3 channels"),
        ({"contamination": 0}, "contamination 0"),
        ({"contamination": None}, "contamination None"),
        ({"value_range": 255}, "value_range 255"),
        ({"value_range": (0,)}, "value_range"),
        ({"options": {"channels": 3}}, "options channels: give"),
        ({"method": "nothing"}, "no such method"),
    ],
)
def test_faults(digits, settings, fault):
    with pytest.raises((ValueError, UserError), match=fault):
        SklearnDetector(**{"method": "ae"} | settings, **TINY).fit(digits[0])
