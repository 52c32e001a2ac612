"""The discrete Poisson equation with zeros around: sine transforms on rectangles, conjugate gradients on other shapes.

On a rectangle two sine transforms (DST-I) solve the equation exactly; as products with matrices that are cached per
size, they are batched over patches of like size and need no FFT. On any other shape the solution on its bounding
rectangle preconditions conjugate gradients: the same code, exact to a tolerance that one can choose, and on a rectangle
done after one step. Solving on the bounding rectangle alone would leak beyond the shape; multigrid needs more code.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

STEP = 32  # Patches whose longer side rounds up to the same multiple are solved together.
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
    first, lengths = _bounds(inside)
    groups = (lengths.amax(0) + STEP - 1) // STEP
    for group in groups.unique().tolist():
        if group:
            chosen = (groups == group).nonzero()[:, 0]
            b, shape = (_window(x[chosen], first[:, chosen], group * STEP) for x in (right, inside[:, None]))
            u = _conjugate_gradients(b, shape, _Rectangles(lengths[:, chosen], b))
            image, row, column = inside[chosen].nonzero().T
            top, left = first[:, chosen[image]]
            solution[chosen[image], :, row, column] = u[image, :, row - top, column - left]
    return solution


def _bounds(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first pixel and the lengths of bounding boxes, (2, n) each; lengths of 0 for an empty mask."""
    lines = [masks.any(dim).byte() for dim in (2, 1)]
    first = torch.stack([line.argmax(1) for line in lines])
    last = torch.stack([line.shape[1] - line.flip(1).argmax(1) for line in lines])
    return first, (last - first) * masks.any((1, 2))


def _window(x: Tensor, first: Tensor, side: int) -> Tensor:
    """Return the squares of `side` of `x`, (n, C, H, W), that begin at `first`; beyond the border it is zero."""
    n, height, width = len(x), *x.shape[-2:]
    at = torch.arange(side, device=x.device)
    rows, columns = first[..., None] + at
    image = torch.arange(n, device=x.device)[:, None, None]
    cut = x[image, :, rows.clamp(max=height - 1)[:, :, None], columns.clamp(max=width - 1)[:, None]].movedim(-1, 1)
    return cut * ((rows < height)[:, None, :, None] & (columns < width)[:, None, None])


class _Rectangles:
    """Solves the equation, exactly, in the upper left rectangles of squares."""

    def __init__(self, lengths: Tensor, like: Tensor) -> None:
        """Make ready for rectangles of `lengths`, (2, n), in squares such as `like`, (n, C, side, side)."""
        side, sizes = like.shape[-1], lengths.tolist()
        self.rows, self.columns = (_stacked([sines(n, like) for n in axis], side)[:, None] for axis in sizes)
        tall, wide = (_stacked([eigenvalues(n, like) for n in axis], side)[:, None] for axis in sizes)
        self.values = (tall[..., :, None] + wide[..., None, :]).clamp(min=1e-6)  # 0 beyond the rectangles

    def solve(self, b: Tensor) -> Tensor:
        """Return u; what of b, (n, C, side, side), lies beyond the rectangles does not count."""
        return self.rows @ ((self.rows @ b @ self.columns) / self.values) @ self.columns


def _stacked(parts: list[Tensor], side: int) -> Tensor:
    """Stack vectors or square matrices of different sizes, filled up with zeros to `side`."""
    full = parts[0].new_zeros(len(parts), *[side] * parts[0].ndim)
    for place, part in zip(full, parts, strict=True):
        place[tuple(slice(size) for size in part.shape)] = part
    return full


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
    """Solve within `shape`, (n, 1, side, side); what has arrived stays, so that batches do not matter."""

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
        direction = z + energy / before * direction
        image = laplacian(direction) * shape
        step = torch.where(active, energy / dot(direction, image), 0)
        u, residual, before = u + step * direction, residual - step * image, energy
    return u


def laplacian(u: Tensor) -> Tensor:
    """Return 4 u_p - (sum of u_q over the four neighbours q of p); beyond the border, u is 0."""
    wide = F.pad(u, [1] * 4)
    return 4 * u - wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2] - wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]
