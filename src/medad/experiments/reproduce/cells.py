"""What each experiment trains."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import cast

from medad.data.repartition import Repartition
from medad.detectors.registry import method_info
from medad.errors import UserError
from medad.experiments.grid.config import Cell, Data
from medad.experiments.paper import BACKBONES, TABLE_5
from medad.experiments.reproduce.splits import draw_stratified, write_split
from medad.workflows.options import Backbone, TrainOptions

RATES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SEEN_RATE = 1588 / 4000  # share of abnormal images among the unlabeled ones of Table 4
# Methods of Table 2 that need no unlabeled images, as far as they are there.
SINGLE = ("ae", "memae", "ganomaly", "fanogan", "igd", "aeu")

MC_DROPOUT = {"dropout": 0.2, "mc_passes": 256}  # the paper gives the passes only

Make = Callable[[Path, Path, TrainOptions], list[Cell]]


def _ddad(base: TrainOptions, backbone: str, **changes: object) -> TrainOptions:
    return replace(base, method="ddad", backbone=cast(Backbone, backbone), **changes)  # type: ignore[arg-type]


def table3(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return DDAD with each backbone."""
    where = Data(data.name, data)
    return [Cell(where, backbone, _ddad(base, backbone)) for backbone in BACKBONES]


def table2(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return the methods that learn from normal images only, and DDAD with each backbone."""
    alone = [Cell(Data(data.name, data), f"{method} alone", replace(base, method=method)) for method in SINGLE]
    cells = alone + table3(data, work, base)
    unknown = set(base.options).difference(*(_names(cell.options.method) for cell in cells))
    if unknown:
        raise UserError(f"`options.{min(unknown)}`: no method of this table has such an option")
    return [replace(cell, options=_known(cell.options)) for cell in cells]


def table4(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return DDAD with AE and: no unlabeled images, normal ones only, and some of one kind of abnormality each."""
    who = Repartition.read(data)
    normal = [entry for entry in who.unlabeled if entry.label == 0]
    kinds = sorted({entry.kind for entry in who.unlabeled if entry.label == 1} - {""})
    if len(kinds) < 2:
        raise UserError(f"{data}: two kinds of abnormality are needed among the unlabeled images; see manifest.csv")
    rarest = min(sum(entry.kind == kind for entry in who.unlabeled) for kind in kinds)
    most = min(len(normal), int(rarest / SEEN_RATE))
    if not most:
        raise UserError(f"{data}: normal images are needed among the unlabeled ones")
    cells = []
    for name, rate in (("none", 0.0), ("normal", 0.0), *((kind, SEEN_RATE) for kind in kinds)):
        pool = normal + [entry for entry in who.unlabeled if entry.kind == name and entry.label == 1]
        size = 0 if name == "none" else most
        drawn = draw_stratified(pool, size, rate, base.seed)
        where = _drawn(data, work, who, drawn, f"table4-{name}-seed{base.seed}")
        sizes = {} if name == "none" else {"unlabeled_size": size, "anomaly_rate": round(size * rate) / size}
        cells.append(Cell(where, name, _without_refinement(_ddad(base, "ae", **sizes))))
    return cells


def table5(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return DDAD with AE and ensembles of each size, without ASR-Net; smaller ensembles are parts of larger ones."""
    options = _without_refinement(_ddad(base, "ae"))
    sizes = sorted(TABLE_5, reverse=True)  # the largest trains all members
    return [Cell(Data(data.name, data), f"K = {k}", replace(options, ensemble_size=k)) for k in sizes]


def table6(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return DDAD with AE and AE-U, as ensembles and with Monte Carlo dropout, without ASR-Net."""
    where, cells = Data(data.name, data), []
    given = {name: value for name, value in base.options.items() if name in MC_DROPOUT}
    plain = {name: value for name, value in base.options.items() if name not in MC_DROPOUT}
    for backbone in ("ae", "aeu"):
        options = _without_refinement(_ddad(replace(base, options=plain), backbone))
        dropout = replace(options, options=options.options | MC_DROPOUT | given)
        cells += [Cell(where, f"{backbone}, ensemble", options), Cell(where, f"{backbone}, MC dropout", dropout)]
    return cells


def fig6(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return DDAD with AE at anomaly rates from 0 to 1, as many unlabeled images at each."""
    who = Repartition.read(data)
    size = min(sum(entry.label == label for entry in who.unlabeled) for label in (0, 1))
    if not size:
        raise UserError(f"{data}: normal and abnormal images are needed among the unlabeled ones, with labels")
    cells = []
    for rate in RATES:
        drawn = draw_stratified(who.unlabeled, size, rate, base.seed)
        where = _drawn(data, work, who, drawn, f"fig6-{rate:g}-seed{base.seed}")
        cells.append(Cell(where, f"{rate:g}", _ddad(base, "ae", unlabeled_size=size, anomaly_rate=rate)))
    return cells


def fig8(data: Path, work: Path, base: TrainOptions) -> list[Cell]:
    """Return DDAD with AE."""
    return table3(data, work, base)[:1]


def _known(options: TrainOptions) -> TrainOptions:
    """Leave out options that the method does not have, but others of the table may."""
    names = _names(options.method)
    return replace(options, options={name: value for name, value in options.options.items() if name in names})


def _names(method: str) -> set[str]:
    return {field.name for field in fields(method_info(method).load().options_type)}


def _without_refinement(options: TrainOptions) -> TrainOptions:
    return replace(options, options=options.options | {"refine": False})


def _drawn(data: Path, work: Path, who: Repartition, unlabeled: Sequence, name: str) -> Data:
    file = work.resolve() / "splits" / f"{data.name}-{name}.csv"
    return Data(data.name, data, write_split(data, who, unlabeled, file))


MAKE: dict[str, Make] = {
    "table2": table2,
    "table3": table3,
    "table4": table4,
    "table5": table5,
    "table6": table6,
    "fig6": fig6,
    "fig8": fig8,
    "fig9": fig8,
}
