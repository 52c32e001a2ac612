"""Poisson blending against its normal equations, written out pixel by pixel, and its laws."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medad.synthesis.poisson import (
    interior,
    interpolated_gradients,
    mixed_gradients,
    pasted_gradients,
    poisson_blend,
)

ALPHA = 0.3


def larger(d: float, s: float) -> float:
    return d if abs(d) > abs(s) else s


GUIDANCE = {
    "pasted": (pasted_gradients, lambda d, s: s),
    "mixed": (mixed_gradients, larger),
    "interpolated": (
        interpolated_gradients(torch.full((1, 1, 1, 1), ALPHA)),
        lambda d, s: larger((1 - ALPHA) * d, ALPHA * s),
    ),
}


def by_hand(image, source, inside, wanted):
    """Solve 4 f_p - sum of f_q inside = sum of f*_q outside + sum of v_pq, (H, W) each, as a dense system."""
    places = list(zip(*np.nonzero(inside), strict=True))
    number = {place: i for i, place in enumerate(places)}
    matrix, right = 4 * np.eye(len(places)), np.zeros(len(places))
    for p, i in number.items():
        for q in ((p[0] + 1, p[1]), (p[0] - 1, p[1]), (p[0], p[1] + 1), (p[0], p[1] - 1)):
            right[i] += wanted(image[p] - image[q], source[p] - source[q])
            if q in number:
                matrix[i, number[q]] = -1
            else:
                right[i] += image[q]
    result = image.copy()
    result[inside] = np.linalg.solve(matrix, right)
    return result


def textured(seed: int, shape: tuple[int, ...]) -> torch.Tensor:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), (0, 0, 1.5, 1.5))
    return torch.tensor(field / np.abs(field).max())


@pytest.mark.parametrize("name", GUIDANCE)
@pytest.mark.parametrize("kind", ["rectangle", "shape"])
def test_the_normal_equations_hold(name, kind):
    image, source = textured(0, (1, 2, 20, 24)), textured(1, (1, 2, 20, 24))
    mask = torch.zeros(1, 20, 24, dtype=torch.bool)
    mask[:, 3:17, 0:20] = True
    if kind == "shape":
        mask &= textured(2, (1, 1, 20, 24))[:, 0] > -0.3
    guidance, wanted = GUIDANCE[name]
    found = poisson_blend(image, source, mask, guidance)
    inside = interior(mask)[0].numpy()
    for channel in range(2):
        expected = by_hand(image[0, channel].numpy(), source[0, channel].numpy(), inside, wanted)
        expected = np.clip(expected, image.min().item(), image.max().item())
        np.testing.assert_allclose(found[0, channel], expected, atol=1e-6)


def test_a_constant_source_gives_a_membrane():
    image, mask = textured(3, (1, 1, 30, 30)), torch.zeros(1, 30, 30, dtype=torch.bool)
    mask[:, 5:25, 8:20] = True
    found = poisson_blend(image, torch.full_like(image, 0.4), mask, pasted_gradients)[0, 0].numpy()
    mean = ndimage.convolve(found, np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4)
    inside = interior(mask)[0].numpy()
    np.testing.assert_allclose(found[inside], mean[inside], atol=1e-10)
    np.testing.assert_array_equal(found[~inside], image[0, 0].numpy()[~inside])


@pytest.mark.parametrize("guidance", [pasted_gradients, mixed_gradients])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_image_itself_plus_a_constant_changes_nothing(guidance, dtype):
    image = textured(4, (2, 3, 25, 25)).to(dtype)
    mask = torch.ones(2, 25, 25, dtype=torch.bool)
    torch.testing.assert_close(poisson_blend(image, image + 0.25, mask, guidance), image, rtol=0, atol=1e-5)


def test_results_stay_in_the_range_of_their_image():
    image, source = 0.1 * textured(5, (4, 1, 32, 32)), textured(6, (4, 1, 32, 32))
    found = poisson_blend(image, source, torch.ones(4, 32, 32, dtype=torch.bool))
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    assert ((found >= low) & (found <= high)).all()
    assert (found == low).any() and (found == high).any()


def test_pixels_outside_and_on_the_rim_are_left_alone_also_at_the_border():
    image, source = textured(7, (1, 1, 16, 16)), textured(8, (1, 1, 16, 16))
    for rows, columns in ((slice(0, 16), slice(0, 16)), (slice(0, 5), slice(9, 16)), (slice(2, 5), slice(3, 6))):
        mask = torch.zeros(1, 16, 16, dtype=torch.bool)
        mask[:, rows, columns] = True
        changed = (poisson_blend(image, source, mask) != image)[:, 0]
        inner = torch.zeros_like(mask)
        inner[:, rows.start + 1 : rows.stop - 1, columns.start + 1 : columns.stop - 1] = True
        assert torch.equal(interior(mask), inner)
        assert changed.any() and not (changed & ~inner).any()


@pytest.mark.parametrize("size", [1, 2, 16])
def test_a_mask_without_interior_leaves_the_image_clean(size):
    image, source = textured(9, (3, 1, size, size)), textured(10, (3, 1, size, size))
    mask = torch.zeros(3, size, size, dtype=torch.bool)
    mask[1, : size // 2 + 1, :2] = True  # two pixels wide
    mask[2, ::2, ::2] = True
    assert torch.equal(poisson_blend(image, source, mask), image)


def test_interior_is_an_erosion():
    masks = torch.rand(3, 12, 9, generator=torch.Generator().manual_seed(0)) < 0.8
    expected = [ndimage.binary_erosion(mask) for mask in masks.numpy()]
    np.testing.assert_array_equal(interior(masks), expected)
