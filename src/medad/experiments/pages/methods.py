"""Every method on one data set, printed from stored scores: preset paper beside the published figures.

Runs of another preset have a page of their own; they are not to be compared with published figures.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from medad.errors import UserError
from medad.evaluation.comparison import Figure
from medad.evaluation.verdict import RULE
from medad.experiments import controls
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.deduplicated import Kept, deduplicated
from medad.experiments.figures import WRITTEN, figures, head
from medad.experiments.pages.verdict import NOT_JUDGED, tried_afterwards, verdict, why_not
from medad.experiments.paper import published_figures
from medad.experiments.printed import printed_by
from medad.experiments.stored import Result, by_method, machines, stored
from medad.reports.markdown import markdown_table
from medad.training.run_folder import training_seconds

Runs = Mapping[str, list[Result]]  # by name, one a seed

COMPARED = (
    f"{RULE} {NOT_JUDGED} "
    "Published figures: [1] Cai et al., Medical Image Analysis 2023, Table 2; [2] Cai et al., MICCAI 2024, with the "
    "recipe of MedIAnomaly, whose brain tumour set may be split differently."
)
APART = "Networks are narrower and trainings shorter than published ones: these figures say nothing of a paper's."


def page(dataset: str, results: Path, preset: str = "paper") -> str:
    """Return the page of `dataset` in Markdown.

    Parameters
    ----------
    dataset : str
        Name of the data set; where its de-duplicated split is stored, those figures stand beside.
    results : Path
        Root of the stored results.
    preset : str
        The runs of this preset are shown; those of paper beside their published figures.

    Raises
    ------
    UserError
        If no such run is stored.

    Notes
    -----
    What lies as ``notes.md`` beside the seeds of a method comes last.
    """
    runs = by_method(result for result in stored(dataset, results) if result.run["config"]["preset"] == preset)
    if not runs:
        raise UserError(f"{results / dataset}: holds no run of preset {preset}; name another page")
    kept = deduplicated(dataset, results)
    found = {name: figures([run.scores for run in some], "pred_score", kept) for name, some in runs.items()}
    rows = [["method", *head(kept), "seeds", "trained", "minutes"], *_rows(runs, found)]
    if preset == "paper":
        beside = _published(dataset, results, runs, found)
        rows = [[name, told, *row, verdict] for (name, *row), (told, verdict) in zip(rows, beside, strict=True)]
    parts = [_heading(dataset, runs, preset, kept), _grids(dataset, results), markdown_table(rows)]
    parts[2:2] = controls.section(dataset, results, "Methods")
    notes = [_note(some[0]) for some in runs.values()]
    return "\n\n".join(filter(None, [*parts, *notes])) + "\n"


def _grids(dataset: str, results: Path) -> str:
    files = sorted(results.glob(f"{dataset}_*.yaml"))
    links = ", ".join(f"[{file.stem}]({file.name})" for file in files)
    return f"Grids that trained them with `medad benchmark`: {links}." if links else ""


def _heading(dataset: str, runs: Runs, preset: str, kept: Kept) -> str:
    every = (result.run for some in runs.values() for result in some)
    name = f"{dataset}_methods" if preset == "paper" else f"{dataset}_{preset}_methods"
    parts = [
        f"# {dataset}: methods, preset {preset}",
        f"{printed_by(f'medad results {name}')} from the scores stored in `{dataset}/`. Machine: {machines(every)}.",
        f"AUROC / AP in % of `pred_score`: {WRITTEN}. The last step counts, no epoch was chosen on test "
        f"images. *Trained* says what differs from preset {preset}, such as a budget of steps; *minutes* is what "
        f"training took while other processes may have kept the machine busy.{f' {CLEAN}' if kept else ''}",
        COMPARED if preset == "paper" else APART,
    ]
    return "\n\n".join(parts)


def _rows(runs: Runs, found: Mapping[str, list[Figure]]) -> Iterator[list[str]]:
    for name, some in runs.items():
        minutes = [seconds / 60 for r in some if (seconds := training_seconds(r.run)) is not None]
        spent = f"{sum(minutes) / len(minutes):.0f}" if minutes else ""
        yield [name, *(figure.in_percent() for figure in found[name]), str(len(some)), changes(some[0]), spent]


def _published(dataset: str, results: Path, runs: Runs, found: Mapping[str, list[Figure]]) -> Iterator[tuple[str, str]]:
    """Yield published figures and verdict of each row, the head first."""
    yield "published", "verdict"
    afterwards = tried_afterwards(dataset, results)
    for name, some in runs.items():
        auroc, ap, source = published_figures(dataset, some[0].run) or (None, None, None)
        told = "" if auroc is None else f"{auroc:.1f}{'' if ap is None else f' / {ap:.1f}'} [{source}]"
        yield told, verdict(found[name][0], auroc, why_not(some[0], afterwards))


def changes(result: Result) -> str:
    """Return the options of a run that are not its preset's."""
    config = result.run["config"]
    return ", ".join(f"{name} {value}" for name, value in config["options"].items()) or config["preset"]


def _note(result: Result) -> str:
    file = result.folder.parent / "notes.md"
    return f"## {result.method}\n\n{file.read_text(encoding='utf-8').strip()}" if file.exists() else ""
