"""Nearest neighbours among many rows, the same however many are asked for together."""

import torch
from torch import Tensor

AT_ONCE = 2**22  # distances that stand in memory together
SPARE = 4  # more candidates than neighbours, as products order them only roughly


def nearest(rows: Tensor, bank: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return the k nearest neighbours, the nearest first.

    Products find candidates fast but are rounded differently in another batch; the candidates' distances are
    computed anew from differences.

    Parameters
    ----------
    rows : Tensor
        (n, D).
    bank : Tensor
        (m, D), m >= k.
    k : int
        Number of neighbours.

    Returns
    -------
    distances : Tensor
        (n, k) Euclidean, float64.
    indices : Tensor
        (n, k), rows of `bank`.
    """
    centre = bank.mean(0)  # products of numbers far from zero would be rounded more
    centred = (bank - centre).float()
    lengths = centred.square().sum(1)
    parts = rows.split(max(AT_ONCE // len(bank), 1))
    found = [_refined(part, bank, _candidates((part - centre).float(), centred, lengths, k), k) for part in parts]
    return torch.cat([d for d, _ in found]), torch.cat([i for _, i in found])


def _candidates(rows: Tensor, bank: Tensor, lengths: Tensor, k: int) -> Tensor:
    distances = torch.addmm(lengths, rows, bank.T, alpha=-2)  # squared, but for what is the same for a whole row
    return distances.topk(min(k + SPARE, len(bank)), largest=False).indices


def _refined(rows: Tensor, bank: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    distances = (rows.double()[:, None] - bank[candidates].double()).norm(dim=2)
    best = distances.topk(k, largest=False)
    return best.values, candidates.gather(1, best.indices)
