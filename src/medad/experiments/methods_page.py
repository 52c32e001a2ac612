"""Every method on one data set, printed from stored scores: preset paper beside the published figures.

``python -m medad.experiments.methods_page brain_tumor --data $MEDAD_DATA > docs/results/brain_tumor_methods.md``;
with ``--preset quick`` that preset's, which are not to be compared with published ones.
"""

import argparse
import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medad.detectors.registry import method_info
from medad.evaluation.comparison import Row, compare
from medad.evaluation.scores import ScoreTable
from medad.experiments.paper import published_figures
from medad.experiments.store import RESULTS, Result, machines, stored
from medad.experiments.table3 import TOLERANCE, deduplicated, markdown_table, restrict
from medad.training.run import training_seconds

Runs = Mapping[str, list[Result]]  # by name, one a seed

FIGURES = ["AUROC", "AP", "AUROC, de-duplicated", "AP, de-duplicated", "seeds", "trained", "minutes"]

COMPARED = (
    f"*Agrees*: within {TOLERANCE:.0f} points of the published AUROC; a shortened training is not judged. "
    "Published figures: [1] Cai et al., Medical Image Analysis 2023, Table 2; [2] Cai et al., MICCAI 2024, with the "
    "recipe of MedIAnomaly, whose brain tumour set may be split differently."
)
APART = "Networks are narrower and trainings shorter than published ones: these figures say nothing of a paper's."


def page(dataset: str, results: Path, data: Path | None, preset: str = "paper") -> str:
    """Return the page of `dataset` in Markdown.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    results : Path
        Root of the stored results.
    data : Path or None
        Folder of data sets; where its data set has a de-duplicated split, those figures stand beside.
    preset : str
        The runs of this preset are shown; those of paper beside their published figures.

    Notes
    -----
    What lies as ``notes.md`` beside the seeds of a method comes last.
    """
    runs: dict[str, list[Result]] = {}
    for result in stored(dataset, results):
        if result.run["config"]["preset"] == preset:
            runs.setdefault(result.method, []).append(result)
    compared, kept = _compared(runs, None), deduplicated(dataset, data)
    rows = [["method", *FIGURES], *_rows(runs, compared, _compared(runs, kept) if kept else {})]
    if preset == "paper":
        beside = _published(dataset, runs, compared)
        rows = [[name, told, *row, verdict] for (name, *row), (told, verdict) in zip(rows, beside, strict=True)]
    table = "\n".join(markdown_table(rows))
    notes = [_note(some[0]) for some in runs.values()]
    return "\n\n".join(filter(None, [_heading(dataset, runs, preset), _grids(dataset, results), table, *notes])) + "\n"


def _grids(dataset: str, results: Path) -> str:
    files = sorted(results.glob(f"{dataset}_*.yaml"))
    links = ", ".join(f"[{file.stem}]({file.name})" for file in files)
    return f"Grids that trained them with `medad benchmark`: {links}." if links else ""


def _heading(dataset: str, runs: Runs, preset: str) -> str:
    every = (result.run for some in runs.values() for result in some)
    option = "" if preset == "paper" else f" --preset {preset}"
    return "\n\n".join(
        [
            f"# {dataset}: methods, preset {preset}",
            f"Printed on {datetime.date.today()} by `python -m medad.experiments.methods_page {dataset}{option} "
            f"--data $MEDAD_DATA` from the scores stored in `{dataset}/`. Machine: {machines(every)}.",
            "AUROC / AP in % of `pred_score`, mean over seeds ± their standard deviation where there are several, in "
            "brackets the 95 % interval of a stratified bootstrap. The last step counts, nothing was chosen on test "
            f"images. *Trained* says what differs from preset {preset}, such as a budget of steps; *minutes* is what "
            "training took while other processes may have kept the machine busy.",
            COMPARED if preset == "paper" else APART,
        ]
    )


def _rows(runs: Runs, compared: Mapping[str, Row], clean: Mapping[str, Row]) -> Iterator[list[str]]:
    for name, some in runs.items():
        row = compared[name]
        figures = [row.auroc.in_percent(), row.ap.in_percent()]
        figures += [clean[name].auroc.in_percent(), clean[name].ap.in_percent()] if clean else ["", ""]
        minutes = [seconds / 60 for r in some if (seconds := training_seconds(r.run)) is not None]
        spent = f"{sum(minutes) / len(minutes):.0f}" if minutes else ""
        yield [name, *figures, str(row.seeds), changes(some[0]), spent]


def _published(dataset: str, runs: Runs, compared: Mapping[str, Row]) -> Iterator[tuple[str, str]]:
    """Yield published figures and verdict of each row, the head first."""
    yield "published", "verdict"
    for name, some in runs.items():
        beside = published_figures(dataset, some[0].run)
        told = f"{beside[0]:.1f}{'' if beside[1] is None else f' / {beside[1]:.1f}'} [{beside[2]}]" if beside else ""
        yield told, verdict(compared[name], beside, shortened(some[0]))


def _compared(runs: Runs, kept: set[str] | None) -> dict[str, Row]:
    def tables(some: list[Result]) -> list[ScoreTable]:
        return [restrict(result.scores, kept) if kept else result.scores for result in some]

    return {row.label: row for row in compare({name: tables(some) for name, some in runs.items()})}


def changes(result: Result) -> str:
    """Return the options of a run that are not its preset's."""
    config = result.run["config"]
    return ", ".join(f"{name} {value}" for name, value in config["options"].items()) or config["preset"]


def shortened(result: Result) -> bool:
    """Whether a run was given fewer epochs or steps than preset paper, or steps where that counts epochs."""
    given = result.run["config"]["options"]
    form = {name: value for name, value in given.items() if name == "form"}
    paper = method_info(result.run["method"]).load().from_options(form, device="cpu").options
    lengths = [name for name in given if name.split("_")[-1] in ("steps", "epochs")]
    return any(getattr(paper, name) is None or given[name] < getattr(paper, name) for name in lengths)


def verdict(row: Row, published: Sequence[float | None] | None, budget: bool) -> str:
    """Return whether the AUROC of `row` agrees with the first of the `published` figures, in %, and the difference.

    A training with a `budget` is not judged.
    """
    if published is None or published[0] is None:
        return "nothing published"
    difference = 100 * row.auroc.mean - published[0]
    if budget:
        return f"shortened ({difference:+.1f})"
    return f"{'agrees' if abs(difference) <= TOLERANCE else 'differs'} ({difference:+.1f})"


def _note(result: Result) -> str:
    file = result.folder.parent / "notes.md"
    return f"## {result.method}\n\n{file.read_text(encoding='utf-8').strip()}" if file.exists() else ""


def main() -> None:
    """Print the page of one data set."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.methods_page", description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--preset", default="paper", help="whose runs are shown; paper by default")
    parser.add_argument("--data", type=Path, default=os.environ.get("MEDAD_DATA"), help="folder of data sets")
    a = parser.parse_args()
    print(page(a.dataset, a.results, a.data, a.preset), end="")


if __name__ == "__main__":
    main()
