"""The score that DDAD reports, chosen without labels on images from which none of its networks learned."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.ddad.map_regression import CELLS, cells_of, regression
from medad.evaluation.delong import paired_variance
from medad.evaluation.metrics import auroc
from medad.evaluation.selection import Judged, judge
from medad.training.fit import Fit
from medad.training.spec import Recipe, Sweep

CHOICE = "choice"  # the fit
NU = "r_nu"
JUDGED_AT_ONCE = 64
RULE = (
    "the refined score, unless another tells held-out unlabeled from held-out normal images better by more than one "
    "standard error of the difference: then the best of all"
)

Analyse = Callable[[Tensor], tuple[dict[str, Tensor], dict[str, Tensor]]]


@dataclass(frozen=True)
class Choice:
    """What was chosen, and how well every candidate tells held-out unlabeled from held-out normal images."""

    chosen: str
    judged: Mapping[str, Judged]


def length(plan: Plan) -> Sweep:
    """Return the length of the fit on the held-out images."""
    return Sweep(plan.count, JUDGED_AT_ONCE)


def choice_fit(
    plan: Plan, recipe: Recipe, names: Sequence[str], inputs: Sequence[str], finished: Callable[[Plan], Analyse]
) -> Fit:
    """Return the fit that regresses on the maps of the held-out images, and chooses the score.

    Parameters
    ----------
    plan, recipe
        As for every fit; the images are the held-out normal and unlabeled ones.
    names : sequence of str
        The scores to choose from, the usual one last.
    inputs : sequence of str
        The maps on which R_nu regresses.
    finished : callable
        Returns what scores images by the networks that lie finished.
    """
    images, analyse = plan.images(), finished(plan)
    rows = torch.zeros(plan.count, len(inputs) * CELLS**2, dtype=torch.float64, device=plan.device)
    scores = torch.zeros(plan.count, len(names), dtype=torch.float64, device=plan.device)

    def update(index: Tensor) -> None:
        found, maps = analyse(images(index))
        rows[index] = cells_of([maps[name] for name in inputs])
        scores[index] = torch.stack([found[name] for name in names], 1).double()

    def finish(found: dict[str, Tensor]) -> dict[str, Tensor]:
        pool = np.repeat([0, 1], plan.data.counts)
        with threadpool_limits(1):
            held, weights = regression(found["rows"].cpu().numpy(), pool, plan.seed, plan.data.patients)
        columns = dict(zip(names, found["scores"].cpu().numpy().T, strict=True)) | {NU: held}
        chosen = choose(pool, columns, names[-1], plan.data.patients)
        judged = judge(pool, columns, columns[chosen], plan.data.patients)
        figures = [[j.auc_u, j.low, j.high, j.se, j.behind, j.behind_se] for j in judged.values()]
        return {
            "weights": torch.from_numpy(weights),
            "judged": torch.tensor(figures, dtype=torch.float64),
            "chosen": torch.tensor(list(columns).index(chosen)),
        }

    return Fit(CHOICE, {"rows": rows, "scores": scores}, update, finish)


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


def choice_of(tensors: Mapping[str, Tensor], names: Sequence[str]) -> Choice:
    """Return what the fit has found, given the names of the scores that it chose from."""
    every = [*names, NU]
    judged = {n: Judged(*row) for n, row in zip(every, tensors[f"{CHOICE}/judged"].tolist(), strict=True)}
    return Choice(every[int(tensors[f"{CHOICE}/chosen"])], judged)
