"""A small part of many rows that is near to all of them, chosen while the rows come."""

import torch
from torch import Tensor

EXCESS = 4  # times as many rows as are wanted in the end are kept meanwhile


def farthest_first(rows: Tensor, count: int) -> Tensor:
    """Return which `count` of `rows` (n, D) the greedy algorithm for k centres takes, in its order, (count,).

    The first is row 0; each of the others is the row that is farthest from all before it. They are different rows,
    even where rows are equal. No choice of so many has less than half their greatest distance to a row (Gonzalez
    1985).
    """
    rows = rows - rows.mean(0)
    lengths = rows.square().sum(1)
    distances = torch.full_like(lengths, torch.inf)
    taken = torch.zeros(count, dtype=torch.long, device=rows.device)
    for k in range(count):
        i = taken[k : k + 1] if k == 0 else distances.argmax(0, keepdim=True)
        taken[k] = i[0]
        distances = torch.minimum(distances, torch.addmv(lengths + lengths[i], rows, rows[i[0]], alpha=-2))
        distances[i] = -torch.inf
    return taken


class Coreset:
    """A coreset of rows that come in chunks: greedy within every chunk, then greedy among what that has left.

    Each chunk leaves its share of `EXCESS` times the wanted number, so memory does not grow with the number of rows,
    and a single chunk ends as the plain greedy algorithm does. Chunks should be random parts of the rows. A row is at
    most as far from the coreset as it is from what its chunk has left, plus what this is from the coreset.

    Parameters
    ----------
    total, size : int
        Number of rows to come, and to be kept at last.
    dimensions : int
        Of the rows.
    projection : Tensor or None
        (dimensions, d): distances are measured after it.
    device : device
        Where rows lie.

    Attributes
    ----------
    tensors : dict
        ``rows`` (m, dimensions), those kept so far first; their number ``kept``, and that of rows ``seen``.
    """

    def __init__(self, total: int, size: int, dimensions: int, projection: Tensor | None, device: torch.device) -> None:
        self.total, self.size, self.projection = total, size, projection
        self.tensors = {
            "rows": torch.zeros(min(EXCESS * size, total), dimensions, device=device),
            "kept": torch.zeros((), dtype=torch.long),
            "seen": torch.zeros((), dtype=torch.long),
        }

    def add(self, chunk: Tensor) -> None:
        """Look at a chunk, (n, dimensions)."""
        rows, kept = self.tensors["rows"], int(self.tensors["kept"])
        self.tensors["seen"] += len(chunk)
        goal = int(self.tensors["seen"]) * len(rows) // self.total
        rows[kept:goal] = chunk[farthest_first(self._projected(chunk), goal - kept)]
        self.tensors["kept"].fill_(goal)

    def result(self) -> Tensor:
        """Return the coreset, (size, dimensions)."""
        rows = self.tensors["rows"]
        return rows[farthest_first(self._projected(rows), self.size)]

    def _projected(self, rows: Tensor) -> Tensor:
        return rows if self.projection is None else rows @ self.projection
