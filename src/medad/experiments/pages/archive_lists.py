"""The section on lists of whole archives: normal images on them, promised and observed."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medad.experiments.studies.lists import FILE, FOLDER
from medad.reports.markdown import markdown_table

STORED = f"*/{FOLDER}/{FILE}"
HEAD = ["data set", "normal images", "archives", "promised at most", "normal among the listed", "abnormal ones listed"]
Key = tuple[str, str, float]  # data set, way, level


def archive_section(results: Path) -> Iterator[str]:
    """Yield the section; nothing where nothing is stored."""
    rows = [_row(key, np.array(shares)) for key, shares in _read(results).items()]
    if rows:
        yield "## Lists of an archive"
        yield (
            "`medad rank` learns what tells an archive from known normal images, and lists those of its images whose q "
            "is low enough. Here the archive is of other normal images of the same source and of abnormal ones of the "
            "test set, drawn anew each time. p-values rest on normal images *held out* from training, which all models "
            "score as new ones; or, with `--adadetect`, on half of the normal images *hidden* in the archive, which "
            "are scored as its own images are. Means over archives ± their standard error, in %. Stored by `python -m "
            "medad.experiments.studies.lists`."
        )
        yield markdown_table([HEAD, *rows])


def _read(results: Path) -> dict[Key, list[tuple[float, float]]]:
    """Return of each archive the share of normal images on its list, and of abnormal ones that are on it."""
    found: dict[Key, list[tuple[float, float]]] = defaultdict(list)
    for file in sorted(results.glob(STORED)):
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                listed, normal, abnormal = (int(row[k]) for k in ("listed", "normal", "abnormal_in_archive"))
                shares = (normal / max(listed, 1), (listed - normal) / abnormal)
                found[file.parents[1].name, row["way"], float(row["level"])].append(shares)
    return dict(sorted(found.items()))


def _row(key: Key, shares: np.ndarray) -> list[str]:
    dataset, way, level = key
    names = {"AdaDetect": "hidden (AdaDetect)"}
    cells = [f"{100 * part.mean():.1f} ± {100 * part.std(ddof=1) / np.sqrt(len(part)):.1f}" for part in shares.T]
    return [dataset, names.get(way, way), str(len(shares)), f"{100 * level:g}", *cells]
