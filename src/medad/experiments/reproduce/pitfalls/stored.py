"""Stored cells: ``DATASET/pitfalls/EXPERIMENT-SCALE.csv``, and beside it a YAML file of what they are about."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from medad.files import replacing

FOLDER = "pitfalls"
STORED = f"*/{FOLDER}/*.yaml"


class Cell(NamedTuple):
    """An anomaly beside a reconstruction, over images: mean AP and its standard deviation, and mean residual.

    A reconstruction that is a blur is named by its sigma.
    """

    anomaly: str
    reconstruction: str
    ap: str
    spread: str
    residual: str


@dataclass(frozen=True)
class Grid:
    """The cells of an experiment; arrays are (anomalies, reconstructions)."""

    anomalies: tuple[str, ...]
    reconstructions: tuple[str, ...]
    ap: np.ndarray
    spread: np.ndarray
    residual: np.ndarray

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> "Grid":
        """Return the grid of some cells, which lie column by column, with the same anomalies in each."""
        columns = list(zip(*cells, strict=True))
        anomalies, reconstructions = (tuple(dict.fromkeys(some)) for some in columns[:2])
        shape = (len(reconstructions), len(anomalies))
        return cls(anomalies, reconstructions, *(np.array(some, float).reshape(shape).T for some in columns[2:]))

    @property
    def intensities(self) -> np.ndarray:
        """Of anomalies that are named by them."""
        return np.array(self.anomalies, float)

    @property
    def sigmas(self) -> np.ndarray:
        """Of reconstructions that are blurs."""
        return np.array(self.reconstructions, float)

    def at(self, sigma: float) -> np.ndarray:
        """Return the average precisions at the blur that is nearest to `sigma`, (anomalies,)."""
        return self.ap[:, np.abs(self.sigmas - sigma).argmin()]


def read_cells(file: Path) -> list[Cell]:
    """Return the cells of a CSV file, none if it is not there."""
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return [Cell(*row) for row in list(csv.reader(stream))[1:]]


def write_cells(file: Path, cells: Iterable[Cell]) -> None:
    """Write cells, whole or not at all."""
    with replacing(file) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([Cell._fields, *cells])


def read_about(file: Path) -> dict[str, Any]:
    """Return what is known of the cells of a CSV file, nothing if there is none."""
    about = file.with_suffix(".yaml")
    return yaml.safe_load(about.read_text(encoding="utf-8")) if about.exists() else {}


def write_about(file: Path, about: Mapping[str, Any]) -> None:
    """Write what the cells of a CSV file are about."""
    with replacing(file.with_suffix(".yaml")) as partial:
        partial.write_text(yaml.safe_dump(dict(about), sort_keys=False), encoding="utf-8")


@dataclass(frozen=True)
class Study:
    """The finished experiments on one data set at one scale, and what is known of each, by name."""

    dataset: str
    scale: str
    grids: Mapping[str, Grid]
    about: Mapping[str, Mapping[str, Any]]


def studies(results: Path) -> Iterator[Study]:
    """Yield what is stored below `results`."""
    files = [file.with_suffix(".csv") for file in sorted(results.glob(STORED))]
    for dataset, scale in dict.fromkeys((file.parent.parent.name, _scale(file)) for file in files):
        some = [f for f in files if (f.parent.parent.name, _scale(f)) == (dataset, scale) and read_about(f)["complete"]]
        named = {file.stem.rpartition("-")[0]: file for file in some}
        grids = {name: Grid.of(read_cells(file)) for name, file in named.items()}
        if grids:
            yield Study(dataset, scale, grids, {name: read_about(file) for name, file in named.items()})


def _scale(file: Path) -> str:
    return file.stem.rpartition("-")[2]
