"""The scores of a test set as a table, and as scores.csv."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medad.data.groups import GROUPS
from medad.errors import UserError
from medad.files import replacing

_FIXED = ("image_path", "gt_label", "pred_label", "kind", "patient", "p_value", "q_value", *GROUPS)


@dataclass(frozen=True)
class ScoreTable:
    """Scores of images, one row per image.

    Attributes
    ----------
    image_path : tuple of str
        Name of each image; unique.
    gt_label : ndarray or None
        (n,) integers, 0 normal 1 abnormal; None where unknown.
    columns : dict of str to ndarray
        Named scores, (n,) ``float64`` each, higher is more abnormal; ``pred_score`` is among them.
    kinds : tuple of str or None
        Kind of abnormality of each image, empty for normal ones.
    pred_label : ndarray or None
        (n,) integers: 1 where the detector's threshold calls the image abnormal.
    patients : tuple of str or None
        Whose each image is, empty where unknown: names of their own (`renumbered`), so that nobody is identified.
    p_value : ndarray or None
        (n,) `medad.evaluation.calibration.conformal_p_values` of ``pred_score``, where there are held-out scores.
    q_value : ndarray or None
        (n,) `medad.evaluation.promises.discoveries.q_values` of these in the list that was scored together.
    groups : mapping of str to tuple of str, or None
        By name of :data:`medad.data.groups.GROUPS` the group of each image, empty where unknown.
    """

    image_path: tuple[str, ...]
    gt_label: np.ndarray | None
    columns: dict[str, np.ndarray]
    kinds: tuple[str, ...] | None = None
    pred_label: np.ndarray | None = None
    patients: tuple[str, ...] | None = None
    p_value: np.ndarray | None = None
    q_value: np.ndarray | None = None
    groups: Mapping[str, tuple[str, ...]] | None = None

    def __post_init__(self) -> None:
        """Refuse columns that differ in length, a reserved name, or a table without ``pred_score``.

        Raises
        ------
        ValueError
            See above.
        """
        optional = (self.gt_label, self.kinds, self.pred_label, self.patients, self.p_value, self.q_value)
        known = (x for x in (*optional, *(self.groups or {}).values()) if x is not None)
        lengths = {len(self.image_path), *map(len, self.columns.values()), *map(len, known)}
        if len(lengths) > 1:
            raise ValueError(f"the columns of a score table differ in length: {sorted(lengths)}")
        if "pred_score" not in self.columns or set(_FIXED) & set(self.columns):
            raise ValueError(f"score columns need pred_score and none of {_FIXED}: {sorted(self.columns)}")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.image_path)

    def subset(self, index: Sequence[int] | np.ndarray) -> "ScoreTable":
        """Return the rows at `index`, an integer sequence, in that order."""
        rows = np.asarray(index, dtype=np.int64)
        return ScoreTable(
            image_path=tuple(self.image_path[i] for i in rows),
            gt_label=None if self.gt_label is None else self.gt_label[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
            kinds=None if self.kinds is None else tuple(self.kinds[i] for i in rows),
            pred_label=None if self.pred_label is None else self.pred_label[rows],
            patients=None if self.patients is None else tuple(self.patients[i] for i in rows),
            p_value=None if self.p_value is None else self.p_value[rows],
            q_value=None if self.q_value is None else self.q_value[rows],
            groups=self.groups and {name: tuple(values[i] for i in rows) for name, values in self.groups.items()},
        )

    @property
    def rows(self) -> dict[str, np.ndarray]:
        """Scores to report: (members, n) each; ``NAME_1 ... NAME_K`` are the members of one row NAME.

        Raises
        ------
        ValueError
            If NAME stands beside NAME_1: nobody could tell which of them the row means.
        """
        groups: dict[str, list[np.ndarray]] = {}
        for column, values in self.columns.items():
            name = re.sub(r"_\d+$", "", column)
            if name != column and name in self.columns:
                raise ValueError(f"scores {name!r} and {column!r} cannot stand in one table: rename one")
            groups.setdefault(name, []).append(values)
        return {name: np.stack(members) for name, members in groups.items()}

    @property
    def shown_rows(self) -> dict[str, np.ndarray]:
        """`rows` without ``pred_score`` where that repeats a named score."""
        return {name: row for name, row in self.rows.items() if name != "pred_score" or self.primary == name}

    @property
    def primary(self) -> str:
        """Name of the score that ``pred_score`` is: a named score with the same values, or itself."""
        own = self.columns["pred_score"]
        same = (name for name, row in self.rows.items() if len(row) == 1 and np.array_equal(row[0], own))
        return next((name for name in same if name != "pred_score"), "pred_score")


def renumbered(patients: Sequence[str]) -> tuple[str, ...]:
    """Return patients as numbers in the order of their appearance, "1", "2", …; "" where unknown."""
    numbers = {patient: str(i) for i, patient in enumerate(dict.fromkeys(filter(None, patients)), start=1)}
    return tuple(numbers.get(patient, "") for patient in patients)


def write_scores(path: Path, table: ScoreTable) -> None:
    """Write `table` as CSV, whole or not at all; numbers read back bit for bit.

    Columns: image_path, gt_label (empty where unknown), pred_score, the other scores, then pred_label, kind,
    patient, groups, p_value and q_value where known.
    """
    names = sorted(table.columns, key=lambda name: name != "pred_score")
    columns: dict[str, list] = {"image_path": list(table.image_path)}
    columns["gt_label"] = [""] * len(table) if table.gt_label is None else [int(x) for x in table.gt_label]
    columns |= {name: [repr(float(x)) for x in table.columns[name]] for name in names}
    if table.pred_label is not None:
        columns["pred_label"] = [int(x) for x in table.pred_label]
    if table.kinds is not None:
        columns["kind"] = list(table.kinds)
    if table.patients is not None:
        columns["patient"] = list(table.patients)
    columns |= {name: list(values) for name, values in (table.groups or {}).items()}
    for name, values in (("p_value", table.p_value), ("q_value", table.q_value)):
        if values is not None:
            columns[name] = [repr(float(x)) for x in values]
    text = io.StringIO()
    # A lone carriage return in a name would end the row unless it is quoted, which csv leaves out.
    words = [table.image_path, table.kinds or (), table.patients or (), *(table.groups or {}).values()]
    returns = any("\r" in cell for cells in words for cell in cells)
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    with replacing(path) as partial:
        # File names may hold bytes that are no UTF-8; they come back as they went in.
        partial.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))


def read_scores(path: Path) -> ScoreTable:
    """Read what `write_scores` wrote.

    Raises
    ------
    UserError
        If the file is missing or is not such a table; the line names the file and the fault.
    """
    try:
        return parse_scores(Path(path).read_bytes(), path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give a scores.csv of a run") from error


def parse_scores(content: bytes, path: Path) -> ScoreTable:
    """Read the `content` of a file that `write_scores` wrote to `path`; errors are those of `read_scores`."""
    try:
        text = content.decode("utf-8-sig", "surrogateescape")
        header, *lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path}: not a table of scores; give a scores.csv of a run") from error
    for needed in ("image_path", "gt_label", "pred_score"):
        if header.count(needed) != 1:
            raise UserError(f"{path}: needs one column {needed}; give a scores.csv of a run")
    return _table(path, header, lines)


def _table(path: Path, header: list[str], lines: list[list[str]]) -> ScoreTable:
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise UserError(f"{path}: row {number} has {len(line)} fields, the header {len(header)}")
    cells = {name: [line[i] for line in lines] for i, name in enumerate(header)}
    twice = [name for name, times in Counter(cells["image_path"]).items() if times > 1]
    if twice:
        raise UserError(f"{path}: image_path {twice[0]!r} occurs twice; keep one of the rows")
    try:
        return ScoreTable(
            image_path=tuple(cells["image_path"]),
            gt_label=_labels(cells["gt_label"]) if any(cells["gt_label"]) else None,
            columns={name: _numbers(name, cells[name]) for name in header if name not in _FIXED},
            kinds=tuple(cells["kind"]) if "kind" in cells else None,
            pred_label=_labels(cells["pred_label"]) if "pred_label" in cells else None,
            patients=tuple(cells["patient"]) if "patient" in cells else None,
            p_value=_numbers("p_value", cells["p_value"]) if "p_value" in cells else None,
            q_value=_numbers("q_value", cells["q_value"]) if "q_value" in cells else None,
            groups={name: tuple(cells[name]) for name in GROUPS if name in cells} or None,
        )
    except ValueError as error:
        raise UserError(f"{path}: {error}; mend the file or write it anew") from error


def _numbers(name: str, cells: list[str]) -> np.ndarray:
    values = np.array(cells, dtype=np.float64)
    for i in np.flatnonzero(~np.isfinite(values)):
        raise ValueError(f"row {i + 2}: {name} is {cells[i]}, not a finite number")
    return values


def _labels(cells: list[str]) -> np.ndarray:
    wrong = set(cells) - {"0", "1"}
    if wrong:
        raise ValueError(f"a label is 0 or 1 in every row or empty in all, not {min(wrong)!r}")
    return np.array(cells, dtype=np.int8)
