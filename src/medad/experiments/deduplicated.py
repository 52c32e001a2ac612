"""The test images of a leaking split that are no near-duplicates of training images.

Their ids lie in ``docs/results/DATASET/deduplicated.txt``, so that pages need no data set
(:mod:`medad.experiments.studies.deduplicated` writes them).
"""

from pathlib import Path

from medad.data.repartition import Repartition

SPLITS = ("data_deduplicated.json", "manifest_deduplicated.csv")
FILE = "deduplicated.txt"
Kept = frozenset[str] | None  # ids of the images of a de-duplicated test split, None where none is known
MEANING = (
    "*De-duplicated*: without the test images that have a near-duplicate in training; the whole test set leaks. AP is "
    "higher there where the share of abnormal images is."
)


def clean_ids(folder: Path) -> list[str] | None:
    """Return the ids of the test images in the de-duplicated split of the data set in `folder`, None without one."""
    split = next((folder / name for name in SPLITS if (folder / name).is_file()), None)
    return None if split is None else [entry.id for entry in Repartition.read(folder, split).test]


def split_told(folder: Path) -> str:
    """Say which split the test images of the data set in `folder` are."""
    return "published split" + (", which leaks" if clean_ids(folder) is not None else "")


def deduplicated(dataset: str, results: Path) -> Kept:
    """Return the ids stored for `dataset` below `results`; None where no de-duplicated split is known."""
    file = results / dataset / FILE
    return frozenset(file.read_text(encoding="utf-8").splitlines()) if file.exists() else None
