"""What a grid is made of: a YAML file of data sets, runs and seeds becomes a list of cells."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser

from medad.data.preprocessing import READING
from medad.errors import UserError
from medad.parser_messages import parse_trouble
from medad.version import __version__
from medad.workflows.options import MACHINE, TrainOptions

SECTIONS = ("data", "seeds", "runs", "slurm")


@dataclass(frozen=True)
class Data:
    """A data set of the grid: its name, folder, and split file if not the folder's own."""

    name: str
    path: Path
    split: Path | None = None


@dataclass(frozen=True)
class Cell:
    """One training with its evaluation.

    Attributes
    ----------
    data : Data
        Images.
    label : str
        The row of the tables that it belongs to: all but data and seed.
    options : TrainOptions
        What is trained, with the seed.
    """

    data: Data
    label: str
    options: TrainOptions

    def key(self, fingerprint: str, recipe: int, resolved: Mapping[str, Any]) -> str:
        """Return the digest of what the result depends on.

        Parameters
        ----------
        fingerprint : str
            Digest of the data set.
        recipe : int
            Version of the training code.
        resolved : mapping
            All options of the method, those of the preset too, which may change.
        """
        config = {name: value for name, value in asdict(self.options).items() if name not in MACHINE}
        asked = {name: value for name, value in config.items() if name not in READING or value is not None}
        options = {name: value for name, value in resolved.items() if name not in READING}  # `asked` tells them
        facts = json.dumps([__version__, recipe, fingerprint, asked, options], sort_keys=True)
        return blake2b(facts.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class Grid:
    """All cells, and the arguments of ``dask_jobqueue.SLURMCluster``, if any."""

    cells: tuple[Cell, ...]
    slurm: dict[str, Any] = field(default_factory=dict)


def read_grid(file: Path, folder: Path | None = None) -> Grid:
    """Read a grid.

    ``data`` lists folders, or mappings with ``path``, ``split`` and ``name``; ``seeds`` lists seeds (0 by
    default); ``runs`` lists mappings of training options. Every option, also one below ``options``, may be a
    list: all combinations are run. A ``name`` takes the place of the method in tables.

    Parameters
    ----------
    file : Path
        The YAML file.
    folder : Path, optional
        To which folders of data are relative; by default where the file stands.

    Raises
    ------
    UserError
        If the file cannot be read, or an option is unknown or of another type; it is named.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file}: not readable ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict) or not content.get("data") or not content.get("runs"):
        raise UserError(f"{file}: list the folders under data, and the methods under runs")
    if odd := set(content) - set(SECTIONS):
        raise UserError(f"{file}: {sorted(odd)[0]}: no such section; there are {', '.join(SECTIONS)}")
    try:
        folders, methods, seeds = (_list({"seeds": [0]} | content, name) for name in ("data", "runs", "seeds"))
        data = [_data(entry, folder or file.parent) for entry in folders]
        runs = [pair for run in methods for pair in _expand(_mapping(run, "runs"))]
        options = [(label, _options(values, seed)) for label, values in runs for seed in seeds]
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    cells = tuple(Cell(where, label, what) for where in data for label, what in options)
    _check_labels(file, cells)
    return Grid(cells, content.get("slurm") or {})


def same_options(config: Mapping[str, Any], options: TrainOptions) -> bool:
    """Whether the ``config`` of a ``run.yaml`` is what `options` would make, on whatever machine."""
    return all(config.get(name) == value for name, value in asdict(options).items() if name not in MACHINE)


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    found = content[name]
    if not isinstance(found, list) or not found:
        raise UserError(f"{name}: {found}: give a list, such as [a, b]")
    return found


def _mapping(entry: Any, section: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise UserError(f"{section}: {entry}: give names with values, such as {{method: ae}}")
    return dict(entry)


def _data(entry: Any, folder: Path) -> Data:
    known = {"path": entry} if isinstance(entry, str) else _mapping(entry, "data")
    odd = set(known) - {f.name for f in fields(Data)}
    if odd or "path" not in known or not all(isinstance(value, str) for value in known.values()):
        raise UserError(f"data: {entry}: give path and, if needed, split and name")
    path = (folder / known["path"]).resolve()
    split = known.get("split")
    return Data(known.get("name", path.name), path, (folder / split).resolve() if split else None)


def _expand(run: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a label and options for every combination of the lists in `run`."""
    name = run.pop("name", None)
    if not isinstance(name, str | None):
        raise UserError(f"runs: name: {name}: give a text, such as '{name}' in quotes")
    further = {f"options.{key}": value for key, value in _mapping(run.pop("options", None) or {}, "options").items()}
    if empty := [key for key, value in (run | further).items() if value == []]:
        raise UserError(f"runs: {empty[0]}: an empty list leaves nothing to run")
    axes = {key: value if isinstance(value, list) else [value] for key, value in (run | further).items()}
    for values in product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        yield _label(name, chosen, [key for key in axes if len(axes[key]) > 1]), chosen


def _label(name: str | None, chosen: Mapping[str, Any], varied: Sequence[str]) -> str:
    """Return the given name, or method and backbone, and what else is varied."""
    told = () if name else ("method", "backbone")
    method = "-".join(str(chosen[key]) for key in ("method", "backbone") if chosen.get(key)) or "ddad"
    return ", ".join(
        [name or method, *(f"{key.removeprefix('options.')} {chosen[key]}" for key in varied if key not in told)]
    )


def _options(values: Mapping[str, Any], seed: int) -> TrainOptions:
    further = {key.removeprefix("options."): v for key, v in values.items() if key.startswith("options.")}
    plain = {key: value for key, value in values.items() if not key.startswith("options.")}
    if "seed" in plain:
        raise UserError("runs: seed: list seeds in their own section")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(TrainOptions)
    try:
        found = parser.parse_object(plain | {"options": further, "seed": seed})
    except Exception as error:
        raise UserError(f"runs: {parse_trouble(str(error))}") from error
    return replace(TrainOptions(), **{f.name: found[f.name] for f in fields(TrainOptions)})


def _check_labels(file: Path, cells: tuple[Cell, ...]) -> None:
    seen: set[tuple[str, str, int]] = set()
    for cell in cells:
        place = (cell.data.name, cell.label, cell.options.seed)
        if place in seen:
            where = f"{cell.label!r} on {cell.data.name}, seed {cell.options.seed}"
            raise UserError(f"{file}: {where} is there twice; give runs a name each, and list data and seeds once")
        seen.add(place)
