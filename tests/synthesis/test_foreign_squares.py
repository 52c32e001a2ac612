"""Squares of another image: where it may write, what it writes, and how often."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medad.synthesis.foreign_squares import foreign_squares


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from([32, 64, 65, 128]), channels=st.sampled_from([1, 3]))
def test_pixels_outside_the_mask_are_left_alone_and_inside_is_a_blend(seed, size, channels):
    torch.manual_seed(seed)
    x, foreign = torch.rand(2, 4, channels, size, size)
    blended, labels = foreign_squares(x, foreign)
    assert labels.dtype == torch.float32
    outside = (labels == 0)[:, None].expand_as(x)
    assert torch.equal(blended[outside], x[outside])
    low, high = torch.minimum(x, foreign), torch.maximum(x, foreign)
    assert ((blended >= low - 1e-6) & (blended <= high + 1e-6)).all()


def test_one_blend_factor_per_image():
    torch.manual_seed(0)
    x, foreign = torch.zeros(50, 1, 64, 64), torch.ones(50, 1, 64, 64)
    blended, masks = foreign_squares(x, foreign, share=1.0)
    for image, mask in zip(blended[:, 0], masks, strict=True):
        assert image[mask > 0].unique().numel() == 1


@pytest.mark.parametrize(
    ("size", "half_widths", "centres"),
    [(64, (3, 12), (6, 56)), (128, (6, 25), (12, 114)), (256, (13, 50), (25, 229))],
)
def test_squares_have_the_published_sizes_and_places(size, half_widths, centres):
    torch.manual_seed(1)
    x = torch.zeros(1).expand(2000, 1, size, 1).expand(-1, -1, -1, size)
    masks = torch.cat([foreign_squares(part, part, share=1.0)[1].any(2) for part in x.split(200)])
    first = masks.int().argmax(1)
    last = size - 1 - masks.flip(1).int().argmax(1)
    inner = (first > 0) & (last < size - 1)
    half = (last - first + 1)[inner] // 2
    centre = first[inner] + half
    assert set(half.tolist()) == set(range(half_widths[0], half_widths[1] + 1))
    assert centre.min() >= centres[0]
    assert centre.max() <= centres[1]
    assert centre.min() <= centres[0] + 3
    assert centre.max() >= centres[1] - 3
    assert ((last - first + 1)[inner] % 2 == 0).all()


def test_share_of_synthetic_images():
    torch.manual_seed(2)
    x = torch.zeros(2000, 1, 32, 32)
    share = foreign_squares(x, x)[1].any((1, 2)).float().mean()
    assert abs(share - 0.5) < 0.05
    assert not foreign_squares(x, x, share=0.0)[1].any()
    assert foreign_squares(x, x, share=1.0)[1].any((1, 2)).all()
