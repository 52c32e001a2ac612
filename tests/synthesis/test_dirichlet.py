"""The solver against sparse LU: rectangles of many sizes, other shapes, and batches of them."""

import numpy as np
import pytest
import torch
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

from medad.synthesis.dirichlet import eigenvalues, laplacian, sines, solve

RNG = np.random.default_rng(0)
SIZES = [(3, 3), (3, 180), (180, 3), (31, 32), (32, 33), *RNG.integers(3, 181, (15, 2)).tolist()]


def by_lu(right: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Solve 4 u_p - sum u_q = b_p within `inside`, (H, W), by sparse LU."""
    number = np.full(np.add(inside.shape, 2), -1)
    number[1:-1, 1:-1][inside] = np.arange(inside.sum())
    rows, columns = np.nonzero(number >= 0)
    matrix = 4 * sparse.eye(len(rows))
    for down, along in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        other = number[rows + down, columns + along]
        pair = number[rows, columns][other >= 0], other[other >= 0]
        matrix = matrix - sparse.coo_matrix((np.ones(len(pair[0])), pair), shape=matrix.shape)
    solution = np.zeros_like(right)
    solution[inside] = splu(matrix.tocsc()).solve(right[inside])
    return solution


def solved(right: np.ndarray, inside: np.ndarray, dtype: torch.dtype = torch.float64) -> np.ndarray:
    return solve(torch.tensor(right, dtype=dtype)[None, None], torch.tensor(inside)[None])[0, 0].numpy()


def shape_of(kind: str, size: int, rng: np.random.Generator) -> np.ndarray:
    inside = np.zeros((size, size + 5), dtype=bool)
    inside[1:-1, 2:-2] = True
    if kind == "hole":
        inside[size // 3 : size // 2, size // 3 : size // 2] = False
    elif kind == "blobs":
        field = ndimage.gaussian_filter(rng.standard_normal(inside.shape), 4)
        inside &= field > np.median(field)
    elif kind == "noise":
        inside &= rng.random(inside.shape) < 0.7
    return inside


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_rectangles_are_exact(height, width):
    right, inside = np.zeros((height + 5, width + 7)), np.zeros((height + 5, width + 7), dtype=bool)
    inside[2 : 2 + height, 4 : 4 + width] = True
    right[inside] = np.random.default_rng(height).standard_normal(height * width)
    assert np.abs(solved(right, inside) - by_lu(right, inside)).max() < 1e-6
    assert np.abs(solved(right, inside, torch.float32) - by_lu(right, inside)).max() < 1e-4


@pytest.mark.parametrize("kind", ["hole", "blobs", "noise"])
@pytest.mark.parametrize("size", [6, 33, 90])
def test_other_shapes(kind, size):
    rng = np.random.default_rng(size)
    inside = shape_of(kind, size, rng)
    right = ndimage.laplace(ndimage.gaussian_filter(rng.standard_normal(inside.shape), 2)) * 20
    expected = by_lu(right, inside)
    assert np.abs(solved(right, inside) - expected).max() < 1e-6
    assert np.abs(solved(right, inside, torch.float32) - expected).max() < 2e-3  # a quarter of a grey level in [-1, 1]


def test_images_and_channels_are_solved_as_if_alone():
    rng = np.random.default_rng(1)
    shapes = [shape_of(kind, 40, rng) for kind in ("hole", "blobs", "noise", "full")]
    small, none = np.zeros_like(shapes[0]), np.zeros_like(shapes[0])
    small[-1, -1] = True
    inside = torch.tensor(np.stack([none, *shapes, small]))
    right = torch.randn(len(inside), 3, *inside.shape[1:], generator=torch.Generator().manual_seed(0)).double()
    found = solve(right, inside)
    assert not found[0].any()
    torch.testing.assert_close(found[-1, :, -1, -1], right[-1, :, -1, -1] / 4)
    for b, shape, u in zip(right, inside, found, strict=True):
        assert not u[:, ~shape].any()
        for channel in range(3):
            alone = solve(b[None, channel : channel + 1], shape[None])[0, 0]
            torch.testing.assert_close(u[channel], alone, rtol=0, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_solved_early_waits_for_the_others(dtype):
    rng = np.random.default_rng(2)
    inside = torch.tensor(np.stack([shape_of(kind, 40, rng) for kind in ("noise", "full", "blobs", "noise")]))
    right = torch.randn(4, 2, *inside.shape[1:], dtype=dtype, generator=torch.Generator().manual_seed(1))
    right[2], right[3, 1] = 0, 1e-30
    found = solve(right, inside)
    assert found.isfinite().all()
    assert not found[2].any() and found[3, 1].abs().max() < 1e-25
    expected = [
        [by_lu(b, shape) for b in one] for one, shape in zip(right.double().numpy(), inside.numpy(), strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_sines_are_their_own_inverse_and_diagonalise_the_second_difference():
    like = torch.zeros(1, dtype=torch.float64)
    for n in (1, 2, 7, 50):
        s, second = sines(n, like), 2 * torch.eye(n, dtype=torch.float64)
        second -= torch.diag(torch.ones(n - 1), 1) + torch.diag(torch.ones(n - 1), -1)
        torch.testing.assert_close(s @ s, torch.eye(n, dtype=torch.float64))
        torch.testing.assert_close(s @ second @ s, torch.diag(eigenvalues(n, like)))


def test_laplacian():
    u = torch.randn(2, 3, 5, 6)
    kernel = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    expected = ndimage.convolve(u.numpy(), kernel[None, None], mode="constant")
    np.testing.assert_allclose(laplacian(u), expected, atol=1e-5)
