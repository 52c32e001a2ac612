"""Store which test images of a data set are no near-duplicates: those that its de-duplicated split lists.

``python -m medad.experiments.studies.deduplicated brain_tumor --data $MEDAD_DATA`` writes their ids to
``docs/results/brain_tumor/deduplicated.txt``.
"""

from pathlib import Path

from medad.errors import UserError
from medad.experiments.command import add_data, add_stored, data_folder, existing, run_command, study_parser
from medad.experiments.deduplicated import FILE, SPLITS, clean_ids
from medad.files import replacing


def write(dataset: str, data: Path, results: Path) -> Path:
    """Write the ids of `dataset`, a folder in `data`, below `results`; UserError if it has no de-duplicated split."""
    ids = clean_ids(data / dataset)
    if ids is None:
        raise UserError(f"{data / dataset}: has no {' or '.join(SPLITS)}")
    file = results / dataset / FILE
    with replacing(file) as partial:
        partial.write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
    return file


def main() -> None:
    """Write the ids of one data set."""
    parser = study_parser("deduplicated", __doc__)
    parser.add_argument("dataset")
    add_data(parser)
    add_stored(parser)
    a = parser.parse_args()
    print(write(a.dataset, data_folder(a.data), existing(a.stored)))


if __name__ == "__main__":
    run_command(main)
