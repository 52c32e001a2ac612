"""Near-duplicates: all of them, as a search through all pairs finds them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from medad.data.audit.near import near_duplicates


def pictures(count, seed=0):
    random = np.random.default_rng(seed)
    smooth = [gaussian_filter(random.normal(size=(64, 64)), 6) for _ in range(count)]
    return np.stack([128 + 40 * one / one.std() for one in smooth])


def stored(grey):
    return np.rint(np.clip(grey, 0, 255) * 257).astype(np.uint16)


def by_force(pixels):
    flat = pixels.reshape(len(pixels), -1) / 257
    apart = np.array([[np.sqrt(np.mean((a - b) ** 2)) for b in flat] for a in flat])
    return {(i, j) for i in range(len(flat)) for j in range(i + 1, len(flat)) if apart[i, j] < 3}


@given(st.integers(0, 10_000))
def test_the_pairs_are_those_of_a_search_through_all(seed):
    random = np.random.default_rng(seed)
    base = pictures(6, seed)
    again = base[random.integers(0, 6, 14)] + random.normal(size=(14, 64, 64)) * random.uniform(0, 5, (14, 1, 1))
    shifted = base[:4] + random.uniform(2, 4, (4, 1, 1))
    pixels = stored(np.concatenate([base, again, shifted]))
    found = near_duplicates(pixels, np.zeros(len(pixels), np.int8), 1)
    assert {pair[:2] for pair in found.pairs} == by_force(pixels)
    assert found.count == len(found.pairs)


@pytest.mark.parametrize(("shift", "near"), [(2.9, True), (3.1, False)])
def test_a_brighter_copy_counts_below_three_grey_levels_only(shift, near):
    one = pictures(1)[0] / 2 + 64
    found = near_duplicates(stored(np.stack([one, one + shift, *pictures(3, 1)])), np.zeros(5, np.int8), 1)
    assert bool(found.count) == near


def test_lists_and_repeats():
    a, b, c = pictures(3)
    chain = [a, a + 2.5, a + 5]  # the last is near the second, which goes: it stays
    pixels = stored(np.stack([a, b, *chain, c, c]))
    found = near_duplicates(pixels, np.array([0, 0, 4, 4, 4, 5, 5], np.int8), 1)
    assert found.beside[:, 0].tolist() == [False, False, True, True, False, False, False]
    assert found.beside[0].tolist() == [False, False, False, False, True, False]
    assert np.flatnonzero(found.repeats).tolist() == [3, 6]


def test_images_with_nothing_in_them_are_near_to_none():
    empty = np.zeros((20, 64, 64), np.uint16)
    assert near_duplicates(np.concatenate([empty, stored(pictures(3))]), np.zeros(23, np.int8), 1).count == 0
    assert near_duplicates(empty[:0], np.zeros(0, np.int8), 1).count == 0


def test_pairs_are_counted_beyond_those_that_are_kept(monkeypatch):
    monkeypatch.setattr("medad.data.audit.near.MOST_PAIRS", 3)
    found = near_duplicates(stored(np.repeat(pictures(1), 30, axis=0)), np.zeros(30, np.int8), 1)
    assert (found.count, len(found.pairs), int(found.repeats.sum())) == (435, 3, 29)
