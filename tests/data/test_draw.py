"""The unlabeled set: its size, its anomaly rate, and what cannot be drawn."""

from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medad.data.draw import draw_unlabeled
from medad.data.entries import Entry
from medad.errors import UserError


def pool(normal: int, abnormal: int, unknown: int = 0) -> list[Entry]:
    labels = [0] * normal + [1] * abnormal + [None] * unknown
    entries = [Entry(f"{label}/{i}", Path(f"/{label}/{i}"), label) for i, label in enumerate(labels)]
    return entries[::2] + entries[1::2]  # interleaved: the order of each label is what counts


@pytest.mark.parametrize(
    ("normal", "abnormal", "size"), [(400, 600, 1000), (600, 900, 1500), (200, 153, 255), (129, 317, 323)]
)
def test_largest_size_at_the_default_rate(normal: int, abnormal: int, size: int) -> None:
    assert len(draw_unlabeled(pool(normal, abnormal), None, 0.6)) == size


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 130), st.integers(0, 100))
def test_against_exact_arithmetic(normal: int, abnormal: int, size: int, percent: int) -> None:
    entries = pool(normal, abnormal)
    count = floor(Fraction(size * percent, 100) + Fraction(1, 2))
    if count > abnormal or size - count > normal:
        with pytest.raises(UserError, match="^anomaly_rate=.*: choose another rate or size"):
            draw_unlabeled(entries, size, percent / 100)
        return
    drawn = draw_unlabeled(entries, size, percent / 100)
    first = [[entry for entry in entries if entry.label == label] for label in (0, 1)]
    assert drawn == tuple(first[0][: size - count] + first[1][:count])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 100))
def test_no_larger_size_fits_than_the_one_taken(normal: int, abnormal: int, percent: int) -> None:
    entries, rate = pool(normal, abnormal), percent / 100
    taken = len(draw_unlabeled(entries, None, rate))
    for larger in range(taken + 1, normal + abnormal + 2):
        with pytest.raises(UserError, match=f"at most {taken} images, not {larger}:"):
            draw_unlabeled(entries, larger, rate)


def test_half_is_rounded_up_in_decimals() -> None:
    assert sum(entry.label or 0 for entry in draw_unlabeled(pool(50, 50), 45, 0.7)) == 32


def test_a_pool_without_labels_is_used_whole_or_from_its_beginning() -> None:
    entries = pool(0, 0, 7)
    assert draw_unlabeled(entries, None, 0.6) == tuple(entries)
    assert draw_unlabeled(entries, 3, 0.6) == tuple(entries[:3])
    with pytest.raises(UserError, match="^unlabeled_size=8: the pool has 7 images"):
        draw_unlabeled(entries, 8, 0.6)


def test_an_empty_pool_gives_nothing() -> None:
    assert draw_unlabeled([], None, 0.6) == ()


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rates_outside_0_to_1(rate: float) -> None:
    with pytest.raises(UserError, match="^anomaly_rate=.*: give a share"):
        draw_unlabeled(pool(5, 5), None, rate)


def test_other_mistakes() -> None:
    with pytest.raises(UserError, match="^unlabeled_size=0: "):
        draw_unlabeled(pool(5, 5), 0, 0.5)
    with pytest.raises(UserError, match="2 of 4 unlabeled images have no label"):
        draw_unlabeled(pool(1, 1, 2), None, 0.5)
    with pytest.raises(UserError, match="5 normal, 0 abnormal.* at most 0 images"):
        draw_unlabeled(pool(5, 0), None, 0.6)
