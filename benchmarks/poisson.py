"""Poisson blending: medad's solver for batches of patches against a sparse LU decomposition per patch.

``python -m benchmarks.poisson`` prints a table.
"""

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from benchmarks.machine import describe
from benchmarks.tables import BUSY
from benchmarks.timing import Piece, interleave
from medad.memory import keep_freed_memory
from medad.reports.markdown import markdown_table
from medad.synthesis.dirichlet import solve
from medad.synthesis.patches import PatchSampler
from medad.synthesis.poisson import interior

WHAT = """\
Patches as NSA draws them, in images of S x S, or as large as can be, fp32, one thread. Sparse LU: scipy assembles the \
system of each patch, decomposes and solves it in fp64. Both run in turns. A ratio of 20 means that LU takes 20 times \
as long."""


def drawn(count: int, size: int, settings: dict[str, object]) -> Tensor:
    """Return the interiors of patches, (n, S, S) ``bool``."""
    everywhere = torch.ones(count, size, size, dtype=torch.bool)
    sampler = PatchSampler(**settings)  # type: ignore[arg-type]
    return interior(sampler.draw(torch.zeros(count, 1, size, size), everywhere, everywhere)[1])


def holed(masks: Tensor) -> Tensor:
    """Return the masks without some discs."""
    at = torch.arange(masks.shape[-1]) % 24 - 12
    return masks & (at[:, None] ** 2 + at**2 > 25)


def by_lu(right: Tensor, inside: Tensor) -> np.ndarray:
    """Return what :func:`medad.synthesis.dirichlet.solve` does, of one channel, one patch after the other."""
    found = np.zeros(right[:, 0].shape)
    for solution, b, shape in zip(found, right[:, 0].double().numpy(), inside.numpy(), strict=True):
        rows, columns = np.nonzero(shape)
        if len(rows):
            box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            kept = np.flatnonzero(shape[box])
            matrix = sparse.csc_matrix(_laplacian(*shape[box].shape)[kept][:, kept])
            solution[shape] = splu(matrix).solve(b[shape])
    return found


def _laplacian(height: int, width: int) -> sparse.csr_matrix:
    tall, wide = (sparse.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(n, n)) for n in (height, width))
    return sparse.csr_matrix(sparse.kronsum(wide, tall))


CASES: dict[str, tuple[int, dict[str, object], Callable[[Tensor], Tensor]]] = {
    "NSA, 64 x 64": (64, {"resize": True, "shift": True}, lambda masks: masks),
    "NSA, 128 x 128": (128, {"resize": True, "shift": True}, lambda masks: masks),
    "NSA, 224 x 224": (224, {"resize": True, "shift": True}, lambda masks: masks),
    "NSA, 224 x 224, with holes": (224, {"resize": True, "shift": True}, holed),
    "largest, 224 x 224": (224, {"bounds": (0.4, 0.4)}, lambda masks: masks),
}


def measure(name: str, count: int, rounds: int) -> list[str]:
    """Return the row of a case."""
    size, settings, shape = CASES[name]
    torch.manual_seed(0)
    inside = shape(drawn(count, size, settings))
    right = torch.randn(count, 1, size, size)
    pieces = [Piece(f"{name}: {way.__name__}", partial(way, right, inside), count) for way in (solve, by_lu)]
    interleave(pieces, 1 + rounds)  # the first warms up
    ours, lu = ([1000 * second / count for second in piece.seconds[1:]] for piece in pieces)
    ratios = [b / a for a, b in zip(ours, lu, strict=True)]
    pixels = inside.sum((1, 2)).float().mean()
    ratio = f"{median(ratios):.0f} ({min(ratios):.0f}–{max(ratios):.0f})"
    return [name, f"{pixels:,.0f}", f"{median(ours):.3f}", f"{median(lu):.2f}", ratio]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.poisson", description=__doc__)
    parser.add_argument("--count", type=int, default=64, help="patches of a batch")
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as trainings do
    m = describe()
    head = [
        "patches",
        "pixels of one",
        "medad, ms per patch",
        "LU, ms per patch",
        "ratio of the times (range over rounds)",
    ]
    table = markdown_table([head, *(measure(name, a.count, a.rounds) for name in CASES)])
    busy = f"; **other processes kept {m['load']} cores busy**" if m["load"] > BUSY else ""
    print(f"{WHAT}\n\n{m['cpu']}; torch {m['torch']}, medad {m['medad']}; {m['date']}{busy}\n\n{table}")


if __name__ == "__main__":
    main()
