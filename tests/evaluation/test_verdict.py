"""Verdicts beside a published figure."""

import pytest

from medad.evaluation.comparison import Figure
from medad.evaluation.verdict import verdict


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure(0.91, 0.01, 0.89, 0.925), "agrees (+1.0)"),
        (Figure(0.91, 0.01, 0.88, 0.94), "cannot tell (+1.0)"),
        (Figure(0.95, 0.01, 0.92, 0.97), "cannot tell (+5.0)"),
        (Figure(0.95, 0.01, 0.94, 0.96), "differs (+5.0)"),
        (Figure(0.80, 0.03, 0.72, 0.86), "differs (-10.0)"),
        (Figure(0.80, None, 0.78, 0.82), "one training (-10.0)"),
    ],
)
def test_a_verdict_follows_the_interval(figure, expected):
    assert verdict(figure, 90.0) == expected
