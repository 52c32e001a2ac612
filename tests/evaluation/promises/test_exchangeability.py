"""A promise that holds is seldom called broken, a broken one mostly is; looks and scores are told apart."""

import numpy as np
import pytest
from scipy import stats

from medad.evaluation.intervals import clopper_pearson
from medad.evaluation.promises.exchangeability import Verdict, chance_to_notice, check
from medad.evaluation.promises.false_alarms import false_alarms


def checked(shift, m=200, n=100, seed=0, looks=0.0, rate=0.05):
    rng = np.random.default_rng(seed)
    calibration, local = rng.normal(size=m), rng.normal(size=n) + shift
    descriptors = rng.normal(size=(m, 4)), rng.normal(size=(n, 4)) + looks
    return check(calibration, local, false_alarms(calibration, rate), descriptors=descriptors, seed=seed)


def test_a_promise_that_holds_is_seldom_called_broken():
    found = [checked(0.0, seed=seed) for seed in range(150)]
    assert np.mean([one.verdict == Verdict.FAILS for one in found]) < 0.02
    assert np.mean([one.verdict == Verdict.UNREFUTED for one in found]) > 0.85
    assert np.mean([one.scores.low <= 0.5 <= one.scores.high for one in found]) > 0.88


def test_a_promise_that_fails_is_called_so():
    found = [checked(1.5, seed=seed) for seed in range(40)]
    assert np.mean([one.verdict == Verdict.FAILS for one in found]) > 0.95
    assert all(one.scores.low > 0.5 for one in found)


def test_fewer_false_alarms_are_a_difference_and_no_broken_promise():
    found = checked(-1.5)
    assert found.verdict == Verdict.DIFFERENT and found.rate < 0.05 and found.scores.high < 0.5


def test_images_that_look_different_are_told():
    found = checked(0.0, looks=1.0)
    assert found.verdict == Verdict.DIFFERENT and found.looks.low > 0.5 and found.p > 0.025


def test_a_patient_counts_once():
    rng = np.random.default_rng(0)
    calibration, local = rng.normal(size=60), rng.normal(size=40)
    owners = [f"a{i // 2}" for i in range(60)], [f"b{i // 4}" for i in range(40)]
    promised = false_alarms(calibration.reshape(30, 2).max(1), 0.1)
    found = check(calibration, local, promised, patients=owners)
    highest = local.reshape(10, 4).max(1)
    assert found.images == 10 and found.rate == (highest >= promised.threshold).mean()
    assert (found.low, found.high) == pytest.approx(clopper_pearson(found.rate, 10))
    assert found.p == stats.ks_2samp(calibration.reshape(30, 2).max(1), highest).pvalue
    assert found.looks is None


def test_how_many_images_it_takes_to_notice():
    rng = np.random.default_rng(0)
    simulated = np.mean([clopper_pearson(k / 80, 80)[0] > 0.1 for k in rng.binomial(80, 0.25, 4000)])
    assert chance_to_notice(0.25, 0.1, 80) == pytest.approx(simulated, abs=0.03)
    assert chance_to_notice(0.25, 0.1, 20) < chance_to_notice(0.25, 0.1, 200)
    assert 0 < checked(0.0).power < checked(0.0, n=400).power <= 1
