"""Boxes: their pixels, what is counted in them, and what moving does."""

import numpy as np
import torch
from torch.nn import functional as F

from medad.synthesis.boxes import Boxes, count_inside, inside, move


def boxes(*rows: tuple[int, int, int, int]) -> Boxes:
    """Return boxes of (top, left, height, width)."""
    table = torch.tensor(rows).T
    return Boxes(table[:2], table[2:])


def test_pixels_of_boxes():
    found = inside(boxes((0, 0, 3, 2), (1, 4, 0, 1), (3, 1, 2, 4)), 5)
    expected = torch.zeros(3, 5, 5, dtype=torch.bool)
    expected[0, :3, :2] = expected[2, 3:, 1:] = True
    assert torch.equal(found, expected)


def test_counts():
    masks = torch.rand(4, 9, 9, generator=torch.Generator().manual_seed(0)) < 0.5
    rng = np.random.default_rng(0)
    ends = torch.tensor(np.sort(rng.integers(0, 10, (6, 2, 4, 2)), axis=-1))
    first, last = ends.unbind(-1)
    found = count_inside(masks, first, last)
    for attempt in range(6):
        for i, mask in enumerate(masks):
            (top, left), (bottom, right) = first[attempt, :, i], last[attempt, :, i]
            assert found[attempt, i] == mask[top:bottom, left:right].sum()


def test_a_box_is_copied_exactly_to_another_place():
    x = torch.rand(2, 3, 10, 10)
    found = move(x, boxes((1, 2, 4, 5), (0, 0, 10, 1)), boxes((6, 5, 4, 5), (0, 9, 10, 1)))
    assert torch.equal(found[0, :, 6:10, 5:10], x[0, :, 1:5, 2:7])
    assert torch.equal(found[1, :, :, 9], x[1, :, :, 0])


def test_a_box_is_resampled_as_if_it_were_an_image():
    x = torch.rand(3, 2, 30, 30, dtype=torch.float64)
    given = [(3, 4, 10, 7), (20, 0, 10, 30), (5, 5, 6, 6)]
    wanted = [(0, 10, 13, 5), (10, 7, 7, 21), (22, 22, 8, 8)]
    found = move(x, boxes(*given), boxes(*wanted))
    for i, ((r, c, h, w), (top, left, height, width)) in enumerate(zip(given, wanted, strict=True)):
        expected = F.interpolate(x[i : i + 1, :, r : r + h, c : c + w], (height, width), mode="bilinear")[0]
        torch.testing.assert_close(found[i, :, top : top + height, left : left + width], expected, atol=1e-5, rtol=0)


def test_empty_boxes_do_no_harm():
    assert move(torch.rand(1, 1, 4, 4), boxes((4, 4, 0, 0)), boxes((0, 0, 1, 1))).shape == (1, 1, 4, 4)
