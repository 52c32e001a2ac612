"""Every method on one data set, beside its published figures, printed from stored scores.

``python -m medad.experiments.methods_page brain_tumor --data $MEDAD_DATA > docs/results/brain_tumor_methods.md``
"""

import argparse
import datetime
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from medad.detectors.registry import method_info
from medad.evaluation.comparison import Row, compare
from medad.evaluation.scores import ScoreTable
from medad.experiments.paper import published_figures
from medad.experiments.store import RESULTS, Result, stored
from medad.experiments.table3 import TOLERANCE, deduplicated, markdown_table, restrict

Runs = Mapping[str, list[Result]]  # by name, one a seed

HEAD = ["method", "published", "AUROC", "AP", "AUROC, de-duplicated", "AP, de-duplicated"]
HEAD += ["seeds", "trained", "minutes", "verdict"]


def page(dataset: str, results: Path, data: Path | None) -> str:
    """Return the page of `dataset` in Markdown.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    results : Path
        Root of the stored results.
    data : Path or None
        Folder of data sets; where its data set has a de-duplicated split, those figures stand beside.

    Notes
    -----
    What lies as ``notes.md`` beside the seeds of a method comes last.
    """
    runs: dict[str, list[Result]] = {}
    for result in stored(dataset, results):
        if result.run["config"]["preset"] == "paper":
            runs.setdefault(result.method, []).append(result)
    notes = [_note(some[0]) for some in runs.values()]
    table = "\n".join(markdown_table([HEAD, *_rows(dataset, runs, deduplicated(dataset, data))]))
    return "\n\n".join([_heading(dataset, runs), table, *filter(None, notes)]) + "\n"


def _heading(dataset: str, runs: Runs) -> str:
    every = [result.run["versions"] for some in runs.values() for result in some]
    machines = sorted({f"{versions['cpu']}, torch {versions['torch']}" for versions in every})
    return "\n\n".join(
        [
            f"# {dataset}: methods",
            f"Printed on {datetime.date.today()} by `python -m medad.experiments.methods_page {dataset} "
            f"--data $MEDAD_DATA` from the scores stored in `{dataset}/`. Machine: {'; '.join(machines)}.",
            "AUROC / AP in % of `pred_score`, mean over seeds ± their standard deviation where there are several, in "
            "brackets the 95 % interval of a stratified bootstrap. The last step counts, nothing was chosen on test "
            "images. *Trained* says what differs from preset paper, such as a budget of steps; *minutes* is what "
            "training took while other processes may have kept the machine busy. *Agrees*: within "
            f"{TOLERANCE:.0f} points of the published AUROC; a shortened training is not judged.",
            "Published figures: [1] Cai et al., Medical Image Analysis 2023, Table 2; [2] Cai et al., MICCAI 2024, "
            "with the recipe of MedIAnomaly, whose brain tumour set may be split differently.",
        ]
    )


def _rows(dataset: str, runs: Runs, kept: set[str] | None) -> Iterator[list[str]]:
    published = _compared(runs, None)
    clean = _compared(runs, kept) if kept else {}
    for name, some in runs.items():
        run, row = some[0].run, published[name]
        beside = published_figures(dataset, run)
        told = f"{beside[0]:.1f}{'' if beside[1] is None else f' / {beside[1]:.1f}'} [{beside[2]}]" if beside else ""
        figures = [row.auroc.in_percent(), row.ap.in_percent()]
        figures += [clean[name].auroc.in_percent(), clean[name].ap.in_percent()] if clean else ["", ""]
        minutes = [r.run["timings"]["fit_seconds"] / 60 for r in some if not r.run["timings"].get("resumed")]
        spent = f"{sum(minutes) / len(minutes):.0f}" if minutes else ""
        yield [name, told, *figures, str(row.seeds), changes(some[0]), spent, _verdict(row, beside, shortened(some[0]))]


def _compared(runs: Runs, kept: set[str] | None) -> dict[str, Row]:
    def tables(some: list[Result]) -> list[ScoreTable]:
        return [restrict(result.scores, kept) if kept else result.scores for result in some]

    return {row.label: row for row in compare({name: tables(some) for name, some in runs.items()})}


def changes(result: Result) -> str:
    """Return the options of a run that are not preset paper's."""
    given = result.run["config"]["options"]
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "paper"


def shortened(result: Result) -> bool:
    """Whether a run was given fewer epochs or steps than preset paper, or steps where that counts epochs."""
    given = result.run["config"]["options"]
    form = {name: value for name, value in given.items() if name == "form"}
    paper = method_info(result.run["method"]).load().from_options(form, device="cpu").options
    lengths = [name for name in given if name.split("_")[-1] in ("steps", "epochs")]
    return any(getattr(paper, name) is None or given[name] < getattr(paper, name) for name in lengths)


def _verdict(row: Row, beside: tuple[float, float | None, int] | None, budget: bool) -> str:
    if beside is None:
        return "nothing published"
    difference = 100 * row.auroc.mean - beside[0]
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
    parser.add_argument("--data", type=Path, default=os.environ.get("MEDAD_DATA"), help="folder of data sets")
    a = parser.parse_args()
    print(page(a.dataset, a.results, a.data), end="")


if __name__ == "__main__":
    main()
