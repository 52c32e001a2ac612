"""The discrete Poisson equation with zeros around: sine transforms on rectangles, conjugate gradients on other shapes.

On a rectangle two sine transforms (DST-I) solve the equation exactly; as products with matrices that are cached per
size, they are batched over patches of like size and need no FFT. On any other shape the solution on its bounding
rectangle preconditions conjugate gradients: the same code, exact to a tolerance, and on a rectangle done after one
step. Solving on the bounding rectangle alone would leak beyond the shape; multigrid needs more code.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

STEP = 32  # Patches whose sides round up to the same multiples are solved together.
ITERATIONS = 100  # at most; a shape with holes takes 5 to 20


def solve(right: Tensor, inside: Tensor) -> Tensor:
    """Solve 4 u_p - (sum of u_q over the four neighbours q of p) = b_p within a shape, u being 0 outside it.

    Parameters
    ----------
    right : Tensor
        (n, C, H, W), b; what stands outside the shape does not count.
    inside : Tensor
        (n, H, W) ``bool``, the shape: any pixels, one shape for all channels of an image. It may be empty.

    Returns
    -------
    Tensor
        (n, C, H, W). The residual is below 1e-4 of b (in ``float64`` 1e-8), in the 2-norm.
    """
    solution = torch.zeros_like(right)
    patches = _patches(inside)
    for size in sorted({patch.size for patch in patches}):
        group = [patch for patch in patches if patch.size == size]
        b = _stacked([right[p.image, :, p.rows, p.columns] for p in group], *size)
        shape = _stacked([inside[p.image, None, p.rows, p.columns] for p in group], *size).to(right.dtype)
        for p, u in zip(group, _conjugate_gradients(b, shape, _Rectangles(group, b)), strict=True):
            solution[p.image, :, p.rows, p.columns] = u[:, : p.height, : p.width]
    return solution


class _Patch(NamedTuple):
    """The bounding box of a shape."""

    image: int
    rows: slice
    columns: slice

    @property
    def height(self) -> int:
        return self.rows.stop - self.rows.start

    @property
    def width(self) -> int:
        return self.columns.stop - self.columns.start

    @property
    def size(self) -> tuple[int, int]:
        return -(-self.height // STEP) * STEP, -(-self.width // STEP) * STEP


def _patches(masks: Tensor) -> list[_Patch]:
    """Return the patches of masks that are not empty."""
    lines = [masks.view(torch.uint8).amax(dim) for dim in (2, 1)]
    ends = [(line.argmax(1), line.shape[1] - line.flip(1).argmax(1)) for line in lines]
    (top, bottom), (left, right) = ([end.tolist() for end in axis] for axis in ends)
    filled = lines[0].any(1).nonzero()[:, 0].tolist()
    return [_Patch(i, slice(top[i], bottom[i]), slice(left[i], right[i])) for i in filled]


def _stacked(parts: Sequence[Tensor], height: int, width: int) -> Tensor:
    """Stack tensors (..., h, w) of different h and w, filled up with zeros to (..., height, width)."""
    full = parts[0].new_zeros(len(parts), *parts[0].shape[:-2], height, width)
    for place, part in zip(full, parts, strict=True):
        place[..., : part.shape[-2], : part.shape[-1]] = part
    return full


class _Rectangles:
    """Solves the equation, exactly, in rectangles at the upper left of larger ones."""

    def __init__(self, group: Sequence[_Patch], like: Tensor) -> None:
        """Make ready for rectangles as large as the patches of `group`, in larger ones such as `like`."""
        height, width = like.shape[-2:]
        self.rows = _stacked([sines(p.height, like) for p in group], height, height)[:, None]
        self.columns = _stacked([sines(p.width, like) for p in group], width, width)[:, None]
        values = [eigenvalues(p.height, like)[:, None] + eigenvalues(p.width, like) for p in group]
        self.values = _stacked(values, height, width)[:, None].clamp(min=1e-6)  # 0 beyond the rectangles

    def solve(self, b: Tensor) -> Tensor:
        """Return u; what of b, (n, C, height, width), lies beyond the rectangles does not count."""
        return self.rows @ ((self.rows @ b @ self.columns) / self.values) @ self.columns


def sines(length: int, like: Tensor) -> Tensor:
    """Return the matrix of the DST-I of so many points, sqrt(2 / (n + 1)) sin(pi i j / (n + 1)): its own inverse."""
    return _sines(length, like.dtype, like.device)


@lru_cache(maxsize=1024)
def _sines(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    at = torch.arange(1, length + 1, dtype=torch.float64)
    return (torch.sin(torch.pi * at[:, None] * at / (length + 1)) * (2 / (length + 1)) ** 0.5).to(device, dtype)


def eigenvalues(length: int, like: Tensor) -> Tensor:
    """Return 2 - 2 cos(pi i / (n + 1)), i = 1..n, the eigenvalues of the second difference along n points."""
    return _eigenvalues(length, like.dtype, like.device)


@lru_cache(maxsize=1024)
def _eigenvalues(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    at = torch.arange(1, length + 1, dtype=torch.float64)
    return (2 - 2 * torch.cos(torch.pi * at / (length + 1))).to(device, dtype)


def _conjugate_gradients(b: Tensor, shape: Tensor, rectangles: _Rectangles) -> Tensor:
    """Solve within `shape`, (n, 1, height, width); what has arrived stays, so that batches do not matter."""

    def dot(x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum((2, 3), keepdim=True)

    u, residual, direction = torch.zeros_like(b), b * shape, torch.zeros_like(b)
    goal = dot(residual, residual) * (1e-8 if b.dtype == torch.float32 else 1e-16)
    before = torch.ones_like(goal)
    for _ in range(ITERATIONS):
        active = dot(residual, residual) > goal
        if not active.any():
            break
        z = rectangles.solve(residual) * shape
        energy = dot(residual, z)
        direction = z + torch.where(active, energy / before, 0) * direction
        image = laplacian(direction) * shape
        step = torch.where(active, energy / dot(direction, image), 0)
        u, residual, before = u + step * direction, residual - step * image, energy
    return u


def laplacian(u: Tensor) -> Tensor:
    """Return 4 u_p - (sum of u_q over the four neighbours q of p); beyond the border, u is 0."""
    found = 4 * u
    found[..., 1:, :] -= u[..., :-1, :]
    found[..., :-1, :] -= u[..., 1:, :]
    found[..., :, 1:] -= u[..., :, :-1]
    found[..., :, :-1] -= u[..., :, 1:]
    return found
