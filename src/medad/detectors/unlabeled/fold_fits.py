"""The fits of a method that learns in folds: one for each fold, and one that knows all images again."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.division import Division, FoldData
from medad.detectors.contract.plan import Plan
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.training.checkpoint import load_tensors
from medad.training.seeds import derive_seed

HELD_SCORES = "held_scores"  # of the images that a fold's model was not learned from, the normal first

LearnFold = Callable[[Plan, FoldData], dict[str, Tensor]]
Conclude = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, dict[str, Tensor]]]


def learn_fold(
    plan: Plan, normal: np.ndarray, unlabeled: np.ndarray, learn: LearnFold, division: Division, fold: int, name: str
) -> dict[str, Tensor]:
    """Return the model of `fold`, by the name `name`, learned from descriptors of normal and unlabeled images."""
    rows = np.concatenate([normal, unlabeled])
    return learn(plan, division.data(rows, fold, derive_seed(plan.seed, name)))


def look_back(
    plan: Plan,
    normal: np.ndarray,
    unlabeled: np.ndarray,
    choose: Callable[[np.ndarray], int],
    conclude: Conclude,
    division: Division,
    names: list[str],
) -> dict[str, Tensor]:
    """Return how all images are known again, which candidate is best, and how well it tells the pools apart.

    Returns
    -------
    dict
        ``seen`` (n,), the digests in ascending order, and ``folds`` (n,), in which fold each was left out; ``chosen``,
        and ``auc_u`` (3,), its AUROC and the ends of the interval; and what `conclude` adds.
    """
    pool, tests = division.pool, [test for _, test in division.folds]
    parts = [load_tensors(plan.finished(name))[0][f"{name}/{HELD_SCORES}"].numpy() for name in names]
    parts = [part.reshape(len(part), -1) for part in parts]
    aucs = [[auroc(pool[test], column) for column in part.T] for test, part in zip(tests, parts, strict=True)]
    chosen = choose(np.array(aucs))
    held, fold = np.zeros((len(pool), parts[0].shape[1])), np.zeros(len(pool), np.int64)
    for k, test in enumerate(tests):
        held[test], fold[test] = parts[k], k
    scores, found = conclude(held, pool, chosen)
    ends = auroc_interval(pool, scores, [str(group) for group in division.groups])
    order = division.digests.argsort(kind="stable")
    return found | {
        "seen": torch.from_numpy(division.digests[order]),
        "folds": torch.from_numpy(fold[order]),
        "chosen": torch.tensor(chosen),
        "auc_u": torch.tensor([auroc(pool, scores), *ends], dtype=torch.float64),
    }
