"""A small part of many rows that is near to all of them, chosen while the rows come."""

import torch
from torch import Tensor

AT_ONCE = 2**22  # distances that stand in memory together


def farthest_first(rows: Tensor, count: int, before: Tensor | None = None) -> Tensor:
    """Return which `count` of `rows` (n, D) the greedy algorithm for k centres takes, in its order, (count,).

    Each is the row that is farthest from all taken before it, and from the rows `before` (m, D); where there are none,
    the first is row 0. They are different rows, even where rows are equal. Without `before`, no choice of so many has
    less than half their greatest distance to a row (Gonzalez 1985).
    """
    centre = rows.mean(0)  # products of numbers far from zero would be rounded more
    rows = rows - centre
    lengths = rows.square().sum(1)
    distances = torch.full_like(lengths, torch.inf) if before is None else _to_nearest(rows, lengths, before - centre)
    taken = torch.zeros(count, dtype=torch.long, device=rows.device)
    for k in range(count):
        i = distances.argmax(0, keepdim=True)  # the first of those that are equal
        taken[k] = i[0]
        distances = torch.minimum(distances, torch.addmv(lengths + lengths[i], rows, rows[i[0]], alpha=-2))
        distances[i] = -torch.inf
    return taken


def _to_nearest(rows: Tensor, lengths: Tensor, others: Tensor) -> Tensor:
    """Return the squared distances of `rows` (n, D), of squared `lengths` (n,), from the nearest of `others`, (n,)."""
    theirs = others.square().sum(1)
    parts = rows.split(max(AT_ONCE // len(others), 1))
    return lengths + torch.cat([torch.addmm(theirs, part, others.T, alpha=-2).amin(1) for part in parts])


class Coreset:
    """A coreset of rows that come in chunks: every chunk adds those that are farthest from all taken before.

    A chunk adds its share of the wanted number, so memory does not grow with the number of rows. All in a single
    chunk, these are the rows that the greedy algorithm takes. Chunks should be random parts of the rows: then, as
    tests show, the greatest distance to a row hardly differs from that of the greedy algorithm on all rows.

    Parameters
    ----------
    total, size : int
        Number of rows to come, and to be taken.
    dimensions : int
        Of the rows.
    projection : Tensor or None
        (dimensions, d): distances are measured after it.
    device : device
        Where rows lie.

    Attributes
    ----------
    tensors : dict
        ``rows`` (size, dimensions), the coreset when all have come; how many were ``taken`` so far, of those ``seen``.
    """

    def __init__(self, total: int, size: int, dimensions: int, projection: Tensor | None, device: torch.device) -> None:
        self.total, self.projection = total, projection
        self.tensors = {
            "rows": torch.zeros(size, dimensions, device=device),
            "taken": torch.zeros((), dtype=torch.long),
            "seen": torch.zeros((), dtype=torch.long),
        }

    def add(self, chunk: Tensor) -> None:
        """Look at a chunk, (n, dimensions)."""
        rows, taken = self.tensors["rows"], int(self.tensors["taken"])
        self.tensors["seen"] += len(chunk)
        goal = int(self.tensors["seen"]) * len(rows) // self.total
        before = self._projected(rows[:taken]) if taken else None
        rows[taken:goal] = chunk[farthest_first(self._projected(chunk), goal - taken, before)]
        self.tensors["taken"].fill_(goal)

    def _projected(self, rows: Tensor) -> Tensor:
        return rows if self.projection is None else rows @ self.projection
