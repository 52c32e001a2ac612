"""How surprising a score is: conformal where scores are known, and always increasing."""

import math

import numpy as np
import torch

from medad.detectors.unlabeled.nu_knn import combined
from medad.detectors.unlabeled.tails import surprise, tail_of

KNOWN = torch.from_numpy(np.random.default_rng(0).exponential(size=2000))


def test_where_scores_are_known_it_is_the_share_of_normal_images():
    tail = tail_of(KNOWN)
    for rank in (200, 1000, 1500):
        at = KNOWN.sort().values[rank]
        expected = -math.log10((2000 - rank) / 2001)
        assert abs(float(surprise(tail, at[None])) - expected) < 1e-9


def test_an_exponential_goes_on_as_it_began():
    found = surprise(tail_of(KNOWN), torch.tensor([5.0, 10.0, 20.0]))
    np.testing.assert_allclose(found, np.array([5.0, 10.0, 20.0]) / math.log(10), rtol=0.15)


def test_it_never_falls_and_tells_apart_what_lies_beyond_all_normal_images():
    x = torch.linspace(0, 60, 500, dtype=torch.float64)
    found = surprise(tail_of(KNOWN), x)
    assert (found.diff() >= 0).all() and (found[x > KNOWN.max()].diff() > 0).all()


def test_equal_or_two_scores_are_finite():
    for known in (torch.ones(30), torch.zeros(2), torch.tensor([0.0, 1.0])):
        assert torch.isfinite(surprise(tail_of(known), torch.tensor([-1.0, 0.0, 1.0, 1e9]))).all()


def test_two_parts_promise_what_one_does():
    rng = np.random.default_rng(1)
    known = {part: torch.from_numpy(rng.normal(size=1000)) for part in ("nu", "distance")}
    tails = {f"{part}.{name}": t for part, scores in known.items() for name, t in tail_of(scores).items()}
    new = torch.from_numpy(rng.normal(size=20000))
    for other in (new, torch.from_numpy(rng.normal(size=20000))):  # the same twice, and independent
        alarms = (combined(tails, {"nu": new, "distance": other}) >= -math.log10(0.05)).double().mean()
        assert alarms < 0.06
    assert alarms > 0.04
