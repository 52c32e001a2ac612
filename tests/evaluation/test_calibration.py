"""The threshold keeps what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.evaluation.calibration import threshold_at_specificity


@given(st.lists(st.integers(0, 30), min_size=19, max_size=200), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_threshold_is_split_conformal(scores, specificity):
    t = threshold_at_specificity(np.array(scores), specificity)
    normal = np.array(scores)
    assert (normal < t).mean() >= specificity
    # The conformal p-value of a score is at most 1 - specificity exactly where it reaches the threshold.
    for s in np.arange(-1, 32):
        p = (1 + (normal >= s).sum()) / (len(normal) + 1)
        assert (s >= t) == (p <= 1 - specificity + 1e-9)


def test_new_normal_images_keep_the_promise_on_average():
    rng = np.random.default_rng(0)
    kept = [
        (rng.normal(size=100) < threshold_at_specificity(rng.normal(size=m))).mean()
        for m in (19, 50, 100)
        for _ in range(1000)
    ]
    for mean in np.reshape(kept, (3, 1000)).mean(axis=1):
        assert 0.945 < mean < 0.975


def test_too_few_scores_warn_of_what_holds():
    with pytest.warns(RuntimeWarning, match="4 held-out .* 0.800, not 0.95"):
        t = threshold_at_specificity([1.0, 4.0, 2.0, 3.0])
    assert 4 < t < 4 + 1e-9


@pytest.mark.filterwarnings("error")
def test_nineteen_scores_suffice_for_95_percent():
    assert threshold_at_specificity(np.arange(19)) == np.nextafter(18.0, 19)


@pytest.mark.parametrize("scores", [[], [1.0, np.nan], [np.inf]])
def test_unusable_scores_are_refused(scores):
    with pytest.raises(ValueError, match="finite scores"):
        threshold_at_specificity(scores)


@pytest.mark.parametrize("specificity", [0, 1, 95])
def test_specificity_must_be_a_share(specificity):
    with pytest.raises(ValueError, match="specificity"):
        threshold_at_specificity([1.0], specificity)
