"""Lung masks against a threshold and morphology by brute force, and on drawn chests."""

import numpy as np
import pytest
from scipy import ndimage

from medad.synthesis.lungs import lung_mask, otsu_threshold, without_border, without_small


def chest(size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Return a bright body before black air, two dark lungs in it, and where these are."""
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    lungs = [((y - 0.5) / 0.3) ** 2 + ((x - c) / 0.13) ** 2 <= 1 for c in (0.32, 0.68)]
    body = np.abs(x - 0.5) < 0.42
    where = lungs[0] | lungs[1]
    rng = np.random.default_rng(0)
    grey = np.where(where, 0.25, np.where(body, 0.75, 0.0)) + 0.02 * rng.random((size, size)) * body
    return grey, where


@pytest.mark.parametrize("size", [64, 128, 224])
def test_the_lungs_of_a_drawn_chest_are_found(size):
    grey, where = chest(size)
    found = lung_mask(grey)
    assert found.dtype == bool
    assert (found & where).sum() > 0.9 * where.sum()
    assert (found & where).sum() > 0.7 * found.sum()
    assert not found[:, :3].any() and not found[0].any()


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_without_lungs_the_mask_is_everywhere(value):
    assert lung_mask(np.full((64, 64), value)).all()


def test_otsus_threshold_by_brute_force():
    rng = np.random.default_rng(1)
    for _ in range(5):
        x = np.concatenate([rng.normal(0.3, 0.05, 300), rng.normal(0.7, 0.1, 200)]).reshape(20, 25)
        counts, edges = np.histogram(x, 256)
        middles = (edges[1:] + edges[:-1]) / 2
        values = np.repeat(middles, counts)
        within = []
        for middle in middles[:-1]:
            low, high = values[values <= middle], values[values > middle]
            within.append(sum(part.size * part.var() for part in (low, high) if part.size))
        assert otsu_threshold(x) == middles[np.argmin(np.round(within, 9))]


def neighbours(mask: np.ndarray, row: int, column: int) -> list[tuple[int, int]]:
    near = [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return [(i, j) for i, j in near if 0 <= i < len(mask) and 0 <= j < len(mask) and mask[i, j]]


def regions(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    left, found = {(int(i), int(j)) for i, j in np.argwhere(mask)}, []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            place = edge.pop()
            region.add(place)
            fresh = [n for n in neighbours(mask, *place) if n in left]
            left -= set(fresh)
            edge += fresh
        found.append(region)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_regions_by_flooding(seed):
    mask = ndimage.uniform_filter(np.random.default_rng(seed).random((24, 24)), 3) > 0.52
    inner, large = np.zeros_like(mask), mask.copy()
    for region in regions(mask):
        rows, columns = np.array(sorted(region)).T
        if min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < 23:
            inner[rows, columns] = True
        if len(region) < 12:
            large[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = False
    np.testing.assert_array_equal(without_border(mask), inner)
    np.testing.assert_array_equal(without_small(mask, 12), large)
