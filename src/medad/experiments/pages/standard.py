"""The page of DDAD in preset standard beside preset paper, printed from stored scores."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.deduplicated import deduplicated
from medad.experiments.printed import printed_by
from medad.experiments.stored import Result, by_method, machines, stored, stored_controls
from medad.experiments.studies.steady.ensembles import DATASETS
from medad.experiments.subsets import restrict
from medad.reports.markdown import markdown_table
from medad.training.run_folder import training_seconds

STANDARD = "ddad-aeu-standard"
METHODS = (STANDARD, "ddad-aeu", "ddad-aeu-bf16")  # standard, and paper in either precision
STORED = f"*/{STANDARD}/seed*"
SCORES = ("pred_score", "a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual", "r_nu")
# What was asked of preset standard before it was made: AUROC in %, and the standard deviation over seeds.
AIMS = {"brain_tumor": 97.0, "pediatric_cxr": 85.0, "phantom_plain": 75.0}
STEADY = {"brain_tumor": 1.0}
BEHIND = 0.5  # at most, of the better of A_inter and A_rec


def page(results: Path) -> str:
    """Return the page in Markdown."""
    found = {name: _runs(name, results) for name in DATASETS}
    every = [result.run for runs in found.values() for some in runs.values() for result in some]
    seeds = [_aimed(name, runs[STANDARD]) for name, runs in found.items() if STANDARD in runs]
    parts = [
        "# DDAD that one can rely on",
        f"{printed_by('medad results ddad_standard')} from the scores stored in `docs/results/DATASET/ddad-aeu*`, "
        f"which `python -m medad.experiments.studies.presets` made. Machine: {machines(every)}.",
        "AUROC of test images in %, mean over seeds ± standard deviation; behind the slash the figure on the "
        f"de-duplicated test images, where there are any. {CLEAN} *Reported*: what the preset gives as its score, in "
        "`paper` R_dual; in `standard` the score that tells unlabeled from normal images best, each scored by networks "
        "that had not learned from it (R_dual, unless another is better by more than one standard error). *Control*: "
        "the best of what sees no pathology. *Minutes*: of training. What led to `standard`, and what was tried: "
        "[a study](steady.md).",
        markdown_table([_head(), *(row for name in DATASETS for row in _rows(name, found[name], results))]),
        "## Aims",
        f"Set before: reported at most {BEHIND} below A_inter and A_rec of the same networks, on every set; and what "
        "else stands in the last columns.",
        markdown_table([["data", "reported", "less A_inter", "less A_rec", "sd", "aim", "reached"], *seeds]),
        "## Single trainings",
        markdown_table(
            [
                ["data", "seed", "reported score", "AUC_u", "AUROC"],
                *(row for name in DATASETS for row in _single(found[name])),
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def summary(results: Path) -> list[list[str]]:
    """Return a table of what preset standard reports on every data set, beside the best control."""
    rows = [row for name in DATASETS for row in _rows(name, _runs(name, results), results) if row[1] == "standard"]
    return [_head(), *rows] if rows else []


def _runs(dataset: str, results: Path) -> dict[str, list[Result]]:
    runs = by_method(stored(dataset, results))
    return {name: runs[name] for name in METHODS if name in runs}


def _head() -> list[str]:
    return ["data", "preset", "seeds", "reported", *SCORES[1:], "control", "minutes"]


def _rows(dataset: str, runs: Mapping[str, Sequence[Result]], results: Path) -> Iterator[list[str]]:
    kept = deduplicated(dataset, results)
    for name, some in runs.items():
        preset = some[0].run["config"]["preset"] + ("" if name in METHODS[:2] else f", {some[0].run['precision']}")
        subsets = [None, kept] if kept else [None]
        told = [" / ".join(_spread(_aurocs(some, score, of)) for of in subsets) for score in SCORES]
        control = " / ".join(_control(dataset, results, of) for of in subsets)
        minutes = [seconds / 60 for result in some if (seconds := training_seconds(result.run)) is not None]
        yield [dataset, preset, str(len(some)), *told, control, f"{np.mean(minutes):.0f}" if minutes else ""]


def _aurocs(some: Sequence[Result], score: str, kept: frozenset[str] | None) -> np.ndarray:
    """Return the AUROC in % of every training, (seeds,)."""
    tables = [restrict(result.scores, kept) if kept else result.scores for result in some]
    return np.array([_auroc(table, score) for table in tables if score in table.columns])


def _auroc(table: ScoreTable, score: str) -> float:
    assert table.gt_label is not None
    return 100 * float(auroc(table.gt_label, table.columns[score]))


def _control(dataset: str, results: Path, kept: frozenset[str] | None) -> str:
    table = stored_controls(dataset, results)
    if table is None:
        return ""
    part = restrict(table, kept) if kept else table
    return f"{max(_auroc(part, name) for name in table.shown_rows):.1f}"


def _spread(values: np.ndarray) -> str:
    deviation = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f}{deviation}" if len(values) else ""


def _aimed(dataset: str, some: Sequence[Result]) -> list[str]:
    """Return the row of a data set among the aims."""
    reported, *others = (_aurocs(some, score, None) for score in ("pred_score", "a_inter", "a_rec_ensemble"))
    mean, deviation = reported.mean(), reported.std(ddof=1) if len(reported) > 1 else np.nan
    less = [mean - other.mean() for other in others]
    aim, steady = AIMS.get(dataset), STEADY.get(dataset)
    asked = [*([] if aim is None else [f"{aim:.0f}"]), *([] if steady is None else [f"sd {steady:.1f}"])]
    reached = [min(less) >= -BEHIND, aim is None or mean >= aim, steady is None or deviation <= steady]
    told = [f"{value:+.1f}" for value in less]
    return [dataset, f"{mean:.1f}", *told, f"{deviation:.1f}", ", ".join(asked), "yes" if all(reached) else "no"]


def _single(runs: Mapping[str, Sequence[Result]]) -> Iterator[list[str]]:
    for result in runs.get(STANDARD, ()):
        choice = result.run.get("choice") or {"chosen": "a_rec_ensemble", "judged": {}}
        judged = choice["judged"].get(choice["chosen"])
        auc_u = f"{100 * judged['auc_u']:.1f}" if judged else ""
        figure = f"{_auroc(result.scores, 'pred_score'):.1f}"
        yield [result.run["data"]["name"], str(result.run["seed"]), choice["chosen"], auc_u, figure]
