"""The page of what is lost by choosing a method without labels, printed from what is stored."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medad.evaluation.selection import RULE
from medad.experiments.printed import printed_by
from medad.reports.markdown import markdown_table

STORED = "*/select.json"
MEANING = (
    "*Chosen*: by AUC_u, the AUROC of unlabeled against normal images that a model had not seen, cross-fitted in five "
    f"folds; no label is looked at, and {RULE}. *Best*: by the labels of the test images. *Lost*: AUROC of the best "
    "less that of the chosen, in points, with the 95 % interval of the difference on the same test images (DeLong); "
    "the best was found with these labels, so that a part of what is lost is its luck. *Within a standard error*: what "
    "would be lost if the earliest of the list were chosen that is behind the first by no more than the standard error "
    "of their difference; that rule is not used."
)


def page(results: Path) -> str:
    """Return the page in Markdown, with a section for each data set."""
    records = {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(results.glob(STORED))}
    dates = sorted({record["date"] for record in records.values()})
    parts = [
        "# Choosing a method without labels",
        f"{printed_by('medad results select')} from `docs/results/DATASET/select.json`, which `python -m "
        f"medad.experiments.studies.select` stored on {' and '.join(dates)}. How to choose: [select](../select.md).",
        MEANING,
        _overview(records),
    ]
    return "\n\n".join([*parts, *(text for name in records for text in _section(name, records[name]))]) + "\n"


def _overview(records: Mapping[str, Any]) -> str:
    rows = [["data set", "the best was chosen", "lost, mean over seeds", "at most", "within a standard error, mean"]]
    for name, record in records.items():
        seeds = record["seeds"]
        lost = [one["lost"][0] for one in seeds]
        hits = sum(one["chosen"] == one["best"] for one in seeds)
        near = np.mean([_lost_within(one) for one in seeds])
        counted = f"{hits} of {len(seeds)}"
        rows.append([name, counted, _points(np.mean(lost)), _points(max(lost)), _points(near)])
    return markdown_table(rows)


def _section(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in record["images"].items())
    yield f"## {name}"
    yield f"{counts} images; preset {record['preset']}."
    rows = [["seed", "chosen", "AUROC", "best", "AUROC", "lost", "95 % interval"]]
    rows += [_seed_row(one) for one in record["seeds"]]
    yield markdown_table(rows)
    yield "Means over the seeds:"
    yield markdown_table([["method", "AUC_u", "AUROC of test images"], *_method_rows(record["seeds"])])


def _seed_row(one: Mapping[str, Any]) -> list[str]:
    value, low, high = one["lost"]
    named = [(key, f"{100 * one['methods'][one[key]]['auroc']:.1f}") for key in ("chosen", "best")]
    cells = [cell for key, figure in named for cell in (one[key], figure)]
    return [str(one["seed"]), *cells, _points(value), f"{_points(low)} to {_points(high)}"]


def _method_rows(seeds: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    means = {
        name: [np.mean([one["methods"][name][key] for one in seeds]) for key in ("auc_u", "auroc")]
        for name in seeds[0]["methods"]
    }
    for name, (auc_u, auroc) in sorted(means.items(), key=lambda item: -item[1][0]):
        yield [name, f"{100 * auc_u:.1f}", f"{100 * auroc:.1f}"]
    controls = {n: np.mean([one["controls"][n]["auc_u"] for one in seeds]) for n in seeds[0]["controls"]}
    best = max(controls, key=controls.__getitem__)
    yield [f"best trivial control: {best}", f"{100 * controls[best]:.1f}", "–"]


def _lost_within(one: Mapping[str, Any]) -> float:
    """Return what is lost by choosing the earliest method that is behind the first by a standard error at most."""
    methods = one["methods"]
    near = next(m for m in methods.values() if m["behind"] <= m["behind_se"] + 1e-9)
    return methods[one["best"]]["auroc"] - near["auroc"]


def _points(value: Any) -> str:
    return f"{100 * value + 0.0:.1f}"
