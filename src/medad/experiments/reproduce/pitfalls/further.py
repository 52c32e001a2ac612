"""Comparing trained models: their error, what they find, and the blur that they are like."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from medad.experiments.reproduce.pitfalls.experiments import TRAINED
from medad.experiments.reproduce.pitfalls.findings import Finding, closest
from medad.experiments.reproduce.pitfalls.models import MODELS
from medad.experiments.reproduce.pitfalls.stored import Grid
from medad.experiments.reproduce.pitfalls.trained import GIVEN, column_name
from medad.reports.markdown import markdown_table

PUBLISHED = {  # reconstruction error, mean AP
    "AE 128": (0.03465, 0.262),
    "AE 64": (0.03725, 0.294),
    "AE 32": (0.03748, 0.320),
    "spatial AE 1": (0.03637, 0.312),
    "spatial AE 2": (0.03249, 0.273),
}


@dataclass(frozen=True)
class Curve:
    """What a model that is `given` normal or anomalous images makes of disks: AP by intensity, and mean error."""

    model: str
    given: str
    ap: np.ndarray
    error: float
    sigma: float | None  # of the blur whose curve is closest, where these are known

    @property
    def mean(self) -> float:
        """Mean AP over intensities."""
        return float(self.ap.mean())


def curves(grids: Mapping[str, Grid]) -> list[Curve]:
    """Return the curves of all models, none where they are not stored."""
    if TRAINED not in grids:
        return []
    grid, disks = grids[TRAINED], grids.get("pitfalls1")
    found = []
    for model, given in ((model, given) for model in MODELS for given in GIVEN):
        column = grid.reconstructions.index(column_name(model, given))
        ap, error = grid.ap[:, column], float(grid.residual[:, column].mean())
        sigma = None if disks is None else float(disks.sigmas[closest(ap, disks.ap.T)])
        found.append(Curve(model, given, ap, error, sigma))
    return found


def error_finding(every: list[Curve]) -> Finding:
    """Return whether models with less error find less; the paper says so of its autoencoders."""
    compared = {given: [c for c in every if c.given == given and c.model in PUBLISHED] for given in GIVEN}
    found = {given: _correlation([(c.error, c.mean) for c in some]) for given, some in compared.items()}
    published = _correlation(list(PUBLISHED.values()))
    told = ", ".join(f"{rho:+.2f} on {given} images" for given, rho in found.items())
    return Finding(
        f"of {len(PUBLISHED)} autoencoders, those with a lower reconstruction error have a lower AP",
        f"rank correlation of error and mean AP: {told}; of the published figures {published:+.2f}",
        all(rho > 0 for rho in found.values()),
    )


def models_table(every: list[Curve], beside_published: bool) -> str:
    """Return a table of the models, a row each, with the published figures if they can be compared."""
    head = ["published error", "published AP"] if beside_published else []
    rows = [["model", *head, *(f"{what}, {given}" for given in GIVEN for what in ("error", "AP", "closest sigma"))]]
    for model in MODELS:
        published = _figures(*PUBLISHED[model]) if model in PUBLISHED else ["", ""]
        ours = [text for curve in every if curve.model == model for text in _told(curve)]
        rows.append([model, *(published if beside_published else []), *ours])
    return markdown_table(rows)


def _told(curve: Curve) -> list[str]:
    return [*_figures(curve.error, curve.mean), "" if curve.sigma is None else f"{curve.sigma:.2f}"]


def _figures(error: float, ap: float) -> list[str]:
    return [f"{error:.5f}", f"{ap:.3f}"]


def _correlation(pairs: list[tuple[float, float]]) -> float:
    return float(spearmanr(*zip(*pairs, strict=True)).statistic)
