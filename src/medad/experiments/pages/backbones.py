"""Backbones against scores (the paper's Table 3) on one data set, printed from stored scores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medad.detectors.ddad.cross_fit import NU
from medad.errors import UserError
from medad.evaluation.metric_list import listed
from medad.evaluation.scores import ScoreTable
from medad.evaluation.verdict import RULE
from medad.experiments import controls
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.deduplicated import Kept, deduplicated
from medad.experiments.figures import WRITTEN, figures, head
from medad.experiments.pages.verdict import verdict
from medad.experiments.paper import SCORES, published_auroc
from medad.experiments.printed import printed_by
from medad.experiments.stored import Result, by_method, machines, stored
from medad.experiments.subsets import of_kind, restrict
from medad.reports.markdown import markdown_table
from medad.reports.tables import known
from medad.training.run_folder import training_seconds


def page(dataset: str, results: Path) -> str:
    """Return the page of `dataset` in Markdown.

    Parameters
    ----------
    dataset : str
        Name of the data set; where its de-duplicated split is stored, those figures stand beside.
    results : Path
        Root of the stored results.

    Raises
    ------
    UserError
        If no run of DDAD on it is stored.

    Notes
    -----
    Sections that lie as ``*.md`` beside the stored scores come last.
    """
    kept = deduplicated(dataset, results)
    runs = by_method(result for result in stored(dataset, results) if result.run["method"] == "ddad")
    if not runs:
        raise UserError(f"{results / dataset}: holds no run of DDAD; name another data set")
    parts = [_heading(dataset, runs, kept), *controls.section(dataset, results)]
    parts += [_section(dataset, some, kept) for some in runs.values()]
    parts += [more.read_text(encoding="utf-8").strip() for more in sorted((results / dataset).glob("*.md"))]
    return "\n\n".join(parts) + "\n"


def _heading(dataset: str, runs: Mapping[str, Sequence[Result]], kept: Kept) -> str:
    every = [result.run for some in runs.values() for result in some]
    presets = {run["config"]["preset"] for run in every}
    known = published_auroc(dataset, "ae", "r_dual") is not None and "paper" in presets
    told = [
        f"AUROC / AP in %: {WRITTEN}; below the mean the single seeds. `a_rec` is that of single networks, each a "
        "training of its own, `a_rec_ensemble` the residual of their mean. The last epoch counts, no epoch was chosen "
        "on test images. A kind of abnormality has its AUROC against all normal images of the split.",
        f"{RULE} Single seeds are not judged where there are several." if known else "",
        CLEAN if kept else "",
    ]
    return "\n\n".join(
        [
            f"# {dataset}: backbones and scores",
            f"{printed_by(f'medad results {dataset}')} from the scores stored in `{dataset}/`. "
            f"Machine: {machines(every)}.",
            " ".join(filter(None, told)),
        ]
    )


def _section(dataset: str, some: Sequence[Result], kept: Kept) -> str:
    run = some[0].run
    seeds = ", ".join(str(result.run["seed"]) for result in some)
    title = f"## {some[0].method}, seed{'s' * (len(some) > 1)} {seeds}, {run['precision']}, "
    tables = [result.scores for result in some]
    kinds = sorted(set(tables[0].kinds or ()) - {"", "normal"})
    kinds = kinds if len(kinds) > 1 else []
    rows = [_head(kinds, kept)]
    for score in (score for score in (*SCORES, NU) if score in tables[0].rows):
        published = _published(dataset, some[0], score)
        rows.append([score, seeds, *_cells(score, tables, published, kinds, kept)])
        for result in some if len(some) > 1 else ():
            own = _cells(score, [result.scores], None, kinds, kept)
            rows.append([score, str(result.run["seed"]), *own])
    parts = [f"{title}preset {run['config']['preset']}", _training(some, kept), markdown_table(_filled(rows))]
    return "\n\n".join([*parts, *_pixels(some, kept)])


def _head(kinds: Sequence[str], kept: Kept) -> list[str]:
    auroc, ap, *clean = head(kept)
    of_kinds = [f"{kind}{', de-duplicated' if kept else ''}" for kind in kinds]
    return ["score", "seeds", "trainings", "paper", auroc, ap, "verdict", *clean, *of_kinds]


def _cells(
    score: str, some: Sequence[ScoreTable], published: float | None, kinds: Sequence[str], kept: Kept
) -> list[str]:
    """Return the cells from *trainings* on; kinds of abnormality are tested on the de-duplicated split, if any."""
    some = _trainings(score, some)
    auroc, ap, *clean = figures(some, "pred_score", kept)
    beside, judged = ("", "") if published is None else (f"{published:.1f}", verdict(auroc, published))
    told = [str(len(some)), beside, auroc.in_percent(), ap.in_percent(), judged, *(f.in_percent() for f in clean)]
    tested = [restrict(table, kept) for table in some] if kept else some
    of_kinds = ([of_kind(table, kind) for table in tested] for kind in kinds)
    return told + [figures(part, "pred_score", None)[0].in_percent() for part in of_kinds]


def _trainings(score: str, some: Sequence[ScoreTable]) -> list[ScoreTable]:
    """Return a table per training with `score` as its ``pred_score``: single networks are trainings of their own."""
    return [replace(table, columns={"pred_score": member}) for table in some for member in table.rows[score]]


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """Return a table without the columns that are empty below their heads."""
    kept = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    return [[row[i] for i in kept] for row in rows]


def _pixels(some: Sequence[Result], kept: Kept) -> Iterator[str]:
    """Yield a table of pixel metrics if there are any; Dice is an oracle's, its threshold is chosen on the masks."""
    maps = [(result, name, row) for result in some for name, row in result.metrics["pixel"].items()]
    shown = known(listed("pixel"), [row for _, _, row in maps])
    rows = [[str(r.run["seed"]), name, *(m.written(row.get(m.key)) for m in shown)] for r, name, row in maps]
    if rows:
        yield markdown_table([["seed", "map", *(metric.name for metric in shown)], *rows])
    if rows and kept:
        yield "Pixels are those of all test images. Maps are not stored, so there is no interval and no clean figure."


def _published(dataset: str, result: Result, score: str) -> float | None:
    """Return the paper's figure; a run that does not follow the paper's recipe is not put beside it."""
    backbone = result.run["options"].get("backbone", result.run["method"])
    return published_auroc(dataset, backbone, score) if result.run["config"]["preset"] == "paper" else None


def _training(some: Sequence[Result], kept: Kept) -> str:
    """Say what the runs learnt from, how long each took, and on how many images they are tested."""
    run, unlabeled = some[0].run, some[0].run["data"].get("unlabeled", {})
    words = f"Trained on {run['data']['normal']['images']} normal and {unlabeled.get('images', 0)} unlabeled images"
    words += f" ({unlabeled.get('abnormal', 'unknown')} abnormal)" if unlabeled else ""
    words += f", K = {run['options']['ensemble_size']}" if "ensemble_size" in run["options"] else ""
    words += "".join(f", seed {r.run['seed']} in {minutes}" for r in some if (minutes := _minutes(r.run)))
    tests = {"test": some[0].scores} | ({"de-duplicated": restrict(some[0].scores, kept)} if kept else {})
    return f"{words}; {'; '.join(f'{name}: {_counts(table)}' for name, table in tests.items())}."


def _minutes(run: Mapping[str, Any]) -> str:
    """Return how long a training took, empty where that is not known."""
    seconds = training_seconds(run)
    return "" if seconds is None else f"{seconds / 60:.0f} min"


def _counts(table: ScoreTable) -> str:
    assert table.gt_label is not None
    abnormal = int(table.gt_label.sum())
    return f"{len(table) - abnormal} normal + {abnormal} abnormal"
