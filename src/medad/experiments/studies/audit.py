"""Stored audits: what ``medad audit`` finds in our data sets, without names of images.

``python -m medad.experiments.studies.audit --data $MEDAD_DATA`` writes ``docs/results/DATASET/audit.json``, from which
``medad results audit`` prints its page.
"""

import datetime
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.stored import RESULTS
from medad.files import replacing
from medad.workflows.audit import audit

SETS = {"brain_tumor": None, "pediatric_cxr": None, "adult_cxr": r"^(\d+)_", "fundus_glaucoma": r"^(\d+)_"}
FILE = "audit.json"
NAMES = ("named", "reasons")  # sections that name images


def store_audit(dataset: str, data: Path, results: Path = RESULTS) -> Path:
    """Audit a data set and store the figures; return their file."""
    with TemporaryDirectory() as work:
        record = audit(data / dataset, out=Path(work) / "audit", patient_pattern=SETS.get(dataset))
    made = {"date": datetime.date.today().isoformat(), "patient_pattern": SETS.get(dataset)}
    file = results / dataset / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial:
        partial.write_text(json.dumps(made | without_names(record), indent=1) + "\n", encoding="utf-8")
    return file


def without_names(record: Any) -> Any:
    """Return a record of an audit without lists that name images; counts and sentences stay."""
    if not isinstance(record, dict):
        return [without_names(one) for one in record] if isinstance(record, list) else record
    kept = {key: value for key, value in record.items() if key not in NAMES}
    return {k: without_names(v) for k, v in kept.items() if not (k == "images" and "count" in record)}


def main() -> None:
    """Store the audits of our data sets."""
    parser = study_parser("audit", __doc__)
    parser.add_argument("datasets", nargs="*", default=list(SETS), help="names of data sets, all of ours by default")
    add_stored(parser)
    add_data(parser)
    given = parser.parse_args()
    for dataset in given.datasets:
        print(store_audit(dataset, data_folder(given.data), existing(given.stored)))


if __name__ == "__main__":
    run_command(main)
