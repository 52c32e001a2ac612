"""The score that DDAD reports, chosen without labels: every image is scored by networks that did not learn from it."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from medad.evaluation.selection import Judged, chosen, judge

RULE = (
    "the score that tells unlabeled from normal images best, and all that are behind it by no more than one standard "
    "error of the difference; of several the mean is reported"
)


@dataclass(frozen=True)
class Choice:
    """What was chosen, and how well every candidate tells unlabeled from normal images, each left out of training.

    Attributes
    ----------
    names : tuple of str
        The scores whose mean is reported.
    judged : mapping of str to Judged
        Of every candidate; of several that were chosen their mean, too, under `chosen`.
    """

    names: tuple[str, ...]
    judged: Mapping[str, Judged]

    @classmethod
    def among(cls, candidates: Mapping[str, Judged]) -> Self:
        """Return what `RULE` chooses of them."""
        near = (name for name, one in candidates.items() if one.behind <= one.behind_se)
        return cls(tuple(near), candidates)

    @property
    def chosen(self) -> str:
        """The names as one."""
        return " + ".join(self.names)


def choose(unlabeled: np.ndarray, scores: Mapping[str, np.ndarray], patients: Sequence[str] | None = None) -> Choice:
    """Return what `RULE` chooses.

    Parameters
    ----------
    unlabeled : ndarray
        (n,) 0 for normal, 1 for unlabeled images.
    scores : mapping of str to ndarray
        (n,) each, of networks that had not seen the image, in units of the spread of normal images.
    patients : sequence of str, optional
        (n,) whose each image is, empty where unknown.
    """
    best = scores[chosen(unlabeled, scores)]
    choice = Choice.among(judge(unlabeled, scores, best, patients))
    if len(choice.names) == 1:
        return choice
    mean = {choice.chosen: np.mean([scores[name] for name in choice.names], axis=0)}
    return replace(choice, judged={**choice.judged, **judge(unlabeled, mean, best, patients)})


def tensor_of(choice: Choice) -> Tensor:
    """Return the choice as a tensor, which `choice_of` reads."""
    return torch.tensor([astuple(one) for one in choice.judged.values()], dtype=torch.float64)


def choice_of(judged: Tensor, names: Sequence[str]) -> Choice:
    """Return the choice, given its tensor and the names of the candidates."""
    rows = [Judged(*row) for row in judged.tolist()]
    choice = Choice.among(dict(zip(names, rows, strict=False)))
    mean = zip([choice.chosen], rows[len(names) :], strict=False)  # if several were chosen
    return replace(choice, judged={**choice.judged, **dict(mean)})
