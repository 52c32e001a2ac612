"""The benchmark of Poisson blending compares like with like."""

import numpy as np
import pytest
import torch

from benchmarks.poisson import CASES, by_lu, drawn, measure
from medad.synthesis.dirichlet import solve


@pytest.mark.parametrize("name", CASES)
def test_both_ways_give_the_same(name: str) -> None:
    size, settings, shape = CASES[name]
    torch.manual_seed(0)
    inside = shape(drawn(2, size, settings))
    assert inside.any()
    right = torch.randn(2, 1, size, size)
    np.testing.assert_allclose(solve(right, inside)[:, 0], by_lu(right, inside), atol=5e-3)


def test_a_row_holds_what_was_measured() -> None:
    name, pixels, *times, ratio = measure("NSA, 64 x 64", 4, 1)
    assert name == "NSA, 64 x 64" and float(pixels) > 0 and all(float(time) > 0 for time in times)
    assert "–" in ratio
