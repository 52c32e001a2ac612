"""The lower bound on the share of abnormal images holds, and is not empty where abnormal images stand apart."""

import numpy as np
import pytest

from medad.evaluation.promises.abnormal_share import abnormal_share


@pytest.mark.parametrize(("share", "shift"), [(0.0, 0.0), (0.3, 1.0), (0.3, 4.0), (0.8, 4.0)])
def test_the_bound_holds(share, shift):
    rng = np.random.default_rng(0)
    rounds, held, bounds, estimates = 300, 0, [], []
    for _ in range(rounds):
        abnormal = rng.random(500) < share
        found = abnormal_share(rng.normal(size=400), rng.normal(size=500) + shift * abnormal)
        held += found.at_least <= share
        bounds.append(found.at_least)
        estimates.append(found.estimate)
    assert held / rounds > 0.95 - 3 * np.sqrt(0.05 * 0.95 / rounds)
    assert min(bounds) >= 0 and max(estimates) <= 1
    if shift == 4:
        assert np.mean(bounds) > share - 0.15 and abs(np.mean(estimates) - share) < 0.06


def test_too_few_images_give_no_bound():
    found = abnormal_share(np.arange(5.0), np.arange(5.0) + 10)
    assert found.at_least == 0
