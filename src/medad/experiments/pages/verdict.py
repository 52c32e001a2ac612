"""Whether a figure of ours agrees with a published one, and which runs are not judged: said here for all pages."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medad.detectors.registry import method_info
from medad.evaluation.comparison import Figure
from medad.evaluation.verdict import verdict as judged
from medad.experiments.grid.config import read_grid, same_options
from medad.experiments.stored import Result
from medad.workflows.options import TrainOptions

AFTERWARDS = "tried after the test figures had been seen"
NOT_JUDGED = f"Not judged are shortened trainings, and what was {AFTERWARDS}."


def verdict(figure: Figure, published: float | None, why_not: str = "") -> str:
    """Return whether an AUROC agrees with the `published` one, in %, and ours minus that; `why_not` to judge it."""
    if published is None:
        return "nothing published"
    return f"not judged: {why_not} ({100 * figure.mean - published:+.1f})" if why_not else judged(figure, published)


def why_not(result: Result, afterwards: Sequence[TrainOptions]) -> str:
    """Return why a run is not judged, empty if it is; `afterwards` see :func:`tried_afterwards`."""
    if any(same_options(result.run["config"], replace(one, seed=result.run["seed"])) for one in afterwards):
        return AFTERWARDS
    return "shortened" if shortened(result) else ""


def tried_afterwards(dataset: str, results: Path) -> list[TrainOptions]:
    """Return the options of ``DATASET_reasons.yaml``: a grid of trials made after its test figures had been seen."""
    file = results / f"{dataset}_reasons.yaml"
    return [cell.options for cell in read_grid(file).cells] if file.exists() else []


def shortened(result: Result) -> bool:
    """Whether a run was given fewer epochs or steps than preset paper, or steps where that counts epochs."""
    given = result.run["config"]["options"]
    form = {name: value for name, value in given.items() if name == "form"}
    paper = method_info(result.run["method"]).load().from_options(form, device="cpu").options
    lengths = [name for name in given if name.split("_")[-1] in ("steps", "epochs")]
    return any(getattr(paper, name) is None or given[name] < getattr(paper, name) for name in lengths)
