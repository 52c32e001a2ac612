"""The page of the audits of our data sets, printed from what is stored of them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medad.experiments.printed import printed_by
from medad.reports.audit import figure
from medad.reports.audit_words import FEATURES, QUESTIONS
from medad.reports.markdown import markdown_table

STORED = "*/audit.json"


def page(results: Path) -> str:
    """Return the page in Markdown, with a section for each data set that was audited."""
    found = sorted(results.glob(STORED))
    records = {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in found}
    dates = sorted({record["date"] for record in records.values()})
    parts = [
        "# Audits of our data sets",
        f"{printed_by('medad results audit')} from `docs/results/DATASET/audit.json`, which `python -m "
        f"medad.experiments.studies.audit` stored on {' and '.join(dates)}. What an audit is, and how it is read: "
        "[audit](../audit.md).",
        "AUROC in % of what sees no pathology, cross-validated, with the 95 % interval. A set of images is told from "
        "another by one property at a time; *normal and abnormal test images* is the line that figures on the set must "
        "be read against.",
    ]
    return "\n\n".join([*parts, *(text for name in records for text in _section(name, records[name]))]) + "\n"


def _section(name: str, record: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    if pattern := record["patient_pattern"]:
        yield f"With `--patient-pattern '{pattern}'`."
    yield "\n".join(f"- {one['text']}" for one in record["findings"])
    yield _near(record)
    yield _shortcuts(record["shortcuts"])


def _near(record: Mapping[str, Any]) -> str:
    beside = record["near"]["beside"]
    rows = [["near-duplicates", "images", *(f"in {name}" for name in beside)]]
    rows += [[a, str(record["images"][a]), *(str(count) for count in row.values())] for a, row in beside.items()]
    return markdown_table(rows)


def _shortcuts(shortcuts: Mapping[str, Any]) -> str:
    names = [name for name in QUESTIONS if name in shortcuts]
    features = dict.fromkeys(one for name in names for one in shortcuts[name]["features"])
    rows = [["property", *(QUESTIONS[name] for name in names)]]
    rows += [
        [FEATURES.get(one, one), *(figure(shortcuts[name]["features"].get(one)) for name in names)] for one in features
    ]
    return markdown_table(rows)
