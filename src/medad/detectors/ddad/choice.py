"""The score that DDAD reports, chosen without labels: every image is scored by networks that did not learn from it."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor

from medad.evaluation.delong import paired_variance
from medad.evaluation.metrics import auroc
from medad.evaluation.selection import Judged, judge

RULE = (
    "the refined score, unless another tells unlabeled from normal images better by more than one standard error of "
    "the difference: then the best of all"
)


@dataclass(frozen=True)
class Choice:
    """What was chosen, and how well every candidate tells unlabeled from normal images, each left out of training."""

    chosen: str
    judged: Mapping[str, Judged]


def choose(
    unlabeled: np.ndarray, scores: Mapping[str, np.ndarray], usual: str, patients: Sequence[str] | None = None
) -> str:
    """Return the name of the score that `RULE` chooses.

    Parameters
    ----------
    unlabeled : ndarray
        (n,) 0 for normal, 1 for unlabeled images.
    scores : mapping of str to ndarray
        (n,) each, of networks that had not seen the image.
    usual : str
        Which is reported unless another is clearly better.
    patients : sequence of str, optional
        (n,) whose each image is, empty where unknown.
    """
    found = {name: auroc(unlabeled, values) for name, values in scores.items()}
    best = max(found, key=found.__getitem__)
    error = np.sqrt(max(paired_variance(unlabeled, scores[best], scores[usual], patients), 0.0))
    return best if found[best] - found[usual] > error else usual


def judged_tensors(
    pool: np.ndarray, scores: Mapping[str, np.ndarray], usual: str, groups: list[str]
) -> dict[str, Tensor]:
    """Return the choice as tensors, which `choice_of` reads; the parameters are those of `choose`."""
    chosen = choose(pool, scores, usual, groups)
    judged = judge(pool, scores, scores[chosen], groups)
    return {
        "judged": torch.tensor([astuple(one) for one in judged.values()], dtype=torch.float64),
        "chosen": torch.tensor(list(scores).index(chosen)),
    }


def choice_of(chosen: Tensor, judged: Tensor, names: Sequence[str]) -> Choice:
    """Return the choice, given its tensors and the names of the scores that were chosen from."""
    return Choice(names[int(chosen)], {n: Judged(*row) for n, row in zip(names, judged.tolist(), strict=True)})
