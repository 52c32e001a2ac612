"""Stored results: ``docs/results/DATASET/METHOD/seedN/`` with scores.csv, metrics.json and run.yaml."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, read_scores
from medad.training.run_folder import read_run

RESULTS = Path("docs/results")
RUNS = "*/seed*/run.yaml"  # below the folder of a data set
USUAL = {"size": 64, "channels": 1, "ensemble_size": None, "unlabeled_size": None, "anomaly_rate": 0.6}


@dataclass(frozen=True)
class Result:
    """A stored run: where it lies, its ``run.yaml``, its scores and its ``metrics.json``."""

    folder: Path
    run: dict[str, Any]
    scores: ScoreTable
    metrics: dict[str, Any]

    @property
    def method(self) -> str:
        """Name of the method's folder, e.g. ``ddad-aeu`` or ``ddad-ae-bf16``."""
        return self.folder.parent.name


def method_folder(run: Mapping[str, Any]) -> str:
    """Return the name under which a run is stored: its method and what differs from preset paper in fp32."""
    parts = [run["method"], run["options"].get("backbone", "")]
    parts += [run["config"]["preset"].replace("paper", "")]
    given = {name: run["config"].get(name) for name, usual in USUAL.items() if run["config"].get(name, usual) != usual}
    parts += [f"{name}-{value}" for name, value in (given | run["config"].get("options", {})).items()]
    parts += [run["precision"].replace("fp32", "")]
    return "-".join(filter(None, parts))


def machines(runs: Iterable[Mapping[str, Any]]) -> str:
    """Return on what kinds of machine runs were made, given what their ``run.yaml`` say."""
    return "; ".join(sorted({f"{run['versions']['cpu']}, torch {run['versions']['torch']}" for run in runs}))


def stored(dataset: str, results: Path = RESULTS) -> Iterator[Result]:
    """Yield the stored runs of `dataset`, sorted by method and seed."""
    for run in sorted((results / dataset).glob(RUNS)):
        metrics = json.loads((run.parent / "metrics.json").read_text(encoding="utf-8"))
        yield Result(run.parent, read_run(run.parent), read_scores(run.parent / "scores.csv"), metrics)


def by_method(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return stored runs by the name of their method's folder, in their order."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.method, []).append(result)
    return found


def controls_folder(dataset: str, results: Path, seed: int) -> Path:
    """Return where the control scores of the test images of `dataset` lie."""
    return results / dataset / "controls" / f"seed{seed}"


def stored_controls(dataset: str, results: Path = RESULTS, seed: int = 0) -> ScoreTable | None:
    """Return the stored control scores of the test images of `dataset`, None where there are none.

    The columns are those of :data:`medad.evaluation.controls.CONTROLS` that there are, and ``pred_score``, which
    repeats one of them. Only phantoms have other seeds than 0: that of the images.
    """
    file = controls_folder(dataset, results, seed) / "scores.csv"
    return read_scores(file) if file.exists() else None


def root_of(folder: Path, dataset: str) -> Path:
    """Return the root of stored results, given it or the folder of `dataset` in it.

    Raises
    ------
    UserError
        If it is neither.
    """
    folder = folder.resolve()
    if (folder / dataset).is_dir():
        return folder
    if folder.name == dataset and any(folder.glob(RUNS)):
        return folder.parent
    raise UserError(f"`stored` {folder}: give the folder that holds {dataset}/METHOD/seedN, or that {dataset}")
