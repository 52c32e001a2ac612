"""Stored scores of the table: ``ocssl/SETTING/images.csv``, and beside it ``ROW.csv`` and ``ROW.yaml`` of each row."""

import csv
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from medad.data.imageset import ImageSet
from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, renumbered
from medad.files import replacing

FOLDER = "ocssl"
IMAGES = "images.csv"
CONTROLS = "controls"  # the row whose columns are not trainings but trivial controls
CONTROL = "control-"  # before the names of these
DIGITS = 6  # significant ones, which keep the files small


def write_images(folder: Path, images: ImageSet) -> None:
    """Write what is known of the images that are scored: path, label, kind, and patients as numbers."""
    assert images.labels is not None
    kinds, patients = images.kinds or ("",) * len(images), renumbered(images.patients or ("",) * len(images))
    rows = zip(images.ids, images.labels.tolist(), kinds, patients, strict=True)
    _write(folder / IMAGES, ("image_path", "gt_label", "kind", "patient"), rows)


def write_row(folder: Path, name: str, scores: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> None:
    """Write the scores of a row by seed (controls: by name), (n,) each, then what is to be known `about` them."""
    columns = [[f"{x:.{DIGITS}g}" for x in values] for values in scores.values()]
    _write(folder / f"{name}.csv", list(scores), zip(*columns, strict=True))
    with replacing(folder / f"{name}.yaml") as partial:
        content = {"date": datetime.date.today()} | dict(about)
        partial.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def read_about(folder: Path, name: str) -> dict[str, Any] | None:
    """Return what is known about a row, None where it is not stored."""
    file = folder / f"{name}.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None


def read_tables(folder: Path) -> dict[str, list[ScoreTable]]:
    """Return the scores of all rows of a setting, a table for each seed; labels, kinds and patients are in each.

    Raises
    ------
    UserError
        If a row has other images than the setting.
    """
    ids, labels, kinds, patients = zip(*_read(folder / IMAGES)[1:], strict=True)
    bare = ScoreTable(
        ids,
        np.array(labels, np.int8),
        {"pred_score": np.zeros(len(ids))},
        kinds,
        None,
        patients if any(patients) else None,
    )
    found: dict[str, list[ScoreTable]] = {}
    for file in sorted(folder.glob("*.yaml")):
        names, *lines = _read(file.with_suffix(".csv"))
        if len(lines) != len(ids):
            raise UserError(f"{file.with_suffix('.csv')}: {len(lines)} scores of {len(ids)} images; compute it anew")
        columns = [replace(bare, columns={"pred_score": column}) for column in np.array(lines, np.float64).T]
        if file.stem == CONTROLS:
            found |= {f"{CONTROL}{name}": [table] for name, table in zip(names, columns, strict=True)}
        else:
            found[file.stem] = columns
    return found


def _write(file: Path, header: Sequence[str], rows: Any) -> None:
    with replacing(file) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _read(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))
