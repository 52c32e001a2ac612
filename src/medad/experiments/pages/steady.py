"""The page of what makes DDAD steadier over trainings, printed from the stored tables of its study."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from medad.experiments.deduplicated import Kept, deduplicated
from medad.experiments.printed import printed_by
from medad.experiments.studies.steady.__main__ import FOLDER
from medad.experiments.studies.steady.ensembles import MOST_IMAGES, WHOLE
from medad.experiments.studies.steady.maps import MEAN
from medad.reports.markdown import markdown_table

STORED = f"*/{FOLDER}/maps-*.csv"
MEASURES = ("auc_u", "auroc", "auroc_deduplicated")
HEAD = ["AUC_u", "AUROC", "AUROC, de-duplicated"]
WAY = ["length", "weights", "form", "floor"]
USUAL = (WHOLE, "average", MEAN, "0.0")  # the maps that are refined
MAPS = ("a_rec", "a_intra", "a_inter")
REPLICATE = "fold"  # each counts as a training of its own where the form is one fold
MEANING = (
    "Three DDADs with backbone AE-U learn from two thirds of the images each. *AUC_u*: how well unlabeled images are "
    "told from normal ones, each scored by the DDAD that left it out, which looks at no label; by it ways are "
    "compared. AUROC of test images in %. Means over trainings ± their standard deviation. The first row is what "
    "ASR-Net refines; each other row changes one thing. *Length*: after half of the training, or all of it. *Weights*: "
    "the last, or their exponential average. *Form*: the mean over the three of scores in units of the spread of their "
    "left-out normal images; one of the three alone; or the networks of all as one ensemble, whose members become one "
    "by mean or median. *Floor*: what sigma is at least, a quantile of that of the pixels of left-out normal images. "
    "One network each: with K = 1, which has no A_intra. *r_nu*: regressions of unlabeled against normal images on "
    "maps by those that left them out, on so many cells along a side."
)

Way = tuple[str, ...]  # values of all columns but the measures
Figures = Mapping[Way, np.ndarray]  # (trainings, 3), in %


def page(results: Path) -> str:
    """Return the page in Markdown: over all data sets, then each."""
    names = sorted({file.parent.parent.name for file in results.glob(STORED)})
    found, refiners = (
        {name: _read(results / name / FOLDER, table) for name in names} for table in ("maps", "refiners")
    )
    parts = [
        "# What makes DDAD steadier",
        f"{printed_by('medad results steady')} from `docs/results/DATASET/{FOLDER}/`, which `python -m "
        f"medad.experiments.studies.steady` stored ({_trainings(results)}).",
        MEANING,
        "## Over all sets",
        "Means over data sets of AUC_u, of AUROC, and of the standard deviation of AUROC over trainings:",
        markdown_table([[*WAY, *_heads()], *_ways(found)]),
        "The same of what is made of the maps of the first row: regressions, and ASR-Net by what it sees and learns "
        "from:",
        markdown_table([["score", "form", "AUC_u", "AUROC", "sd"], *_refined(found, refiners)]),
        *(text for name in names for text in _section(name, found[name], refiners[name], deduplicated(name, results))),
    ]
    return "\n\n".join(parts) + "\n"


def _section(dataset: str, maps: Figures, refiners: Figures, kept: Kept) -> Iterator[str]:
    columns = len(HEAD) if kept else len(HEAD) - 1
    ways = [(*way, score) for way in _shown(maps) for score in MAPS]
    rows = [[*way, *_cells(maps[way])[:columns]] for way in (*ways, *_regressed(maps)) if way in maps]
    yield f"## {dataset}"
    yield markdown_table([[*WAY, "score", *HEAD[:columns]], *rows])
    if refiners:
        yield "ASR-Net on the maps of the first row, by what it sees and learns from:"
        refined = [[*way, *_cells(found)[:columns]] for way, found in refiners.items()]
        yield markdown_table([["ASR-Net", "form", "score", *HEAD[:columns]], *refined])


def _shown(maps: Figures) -> list[Way]:
    """Return the usual way, then all that differ from it in one thing."""
    changes = {
        way[:-1]: [i for i, (one, other) in enumerate(zip(way, USUAL, strict=False)) if one != other] for way in maps
    }
    single = [way for way, changed in changes.items() if len(changed) == 1]
    return [USUAL, *sorted(single, key=lambda way: (changes[way], way))]


def _heads() -> list[str]:
    return [f"{score}: {what}" for score in MAPS for what in ("AUC_u", "AUROC", "sd")]


def _ways(found: Mapping[str, Figures]) -> Iterator[list[str]]:
    """Yield a row for every way to make maps: means over data sets."""
    for way in _shown(next(iter(found.values()))):
        cells = []
        for score in MAPS:
            cells += _over_sets([maps[*way, score] for maps in found.values() if (*way, score) in maps])
        yield [*way, *cells]


def _refined(found: Mapping[str, Figures], refiners: Mapping[str, Figures]) -> Iterator[list[str]]:
    """Yield the same for every regression and every way to train ASR-Net."""
    for way in _regressed(next(iter(found.values()))):
        yield [way[-1], way[2], *_over_sets([maps[way] for maps in found.values()])]
    for variant, form, score in next(iter(refiners.values())):
        some = [figures[variant, form, score] for figures in refiners.values() if (variant, form, score) in figures]
        yield [f"{score}, {variant}", form, *_over_sets(some)]


def _regressed(maps: Figures) -> list[Way]:
    """Return the ways to regress on the usual maps."""
    same = [0, 1, 3]  # all but the form
    return [way for way in maps if way[-1] not in MAPS and all(way[i] == USUAL[i] for i in same)]


def _over_sets(some: Sequence[np.ndarray]) -> list[str]:
    """Return means over data sets of AUC_u, of AUROC, and of the standard deviation of AUROC over trainings."""
    deviations = [rows[:, 1].std(ddof=1) for rows in some if len(rows) > 1]
    means = [_spread([rows[:, i].mean() for rows in some], with_deviation=False) if some else "" for i in (0, 1)]
    return [*means, f"{np.mean(deviations):.1f}" if deviations else ""]


def _cells(rows: np.ndarray) -> list[str]:
    return [_spread(column) for column in rows.T]


def _spread(values: Sequence[float] | np.ndarray, with_deviation: bool = True) -> str:
    if np.isnan(values).any():
        return ""
    deviation = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 and with_deviation else ""
    return f"{np.mean(values):.1f}{deviation}"


def _read(folder: Path, table: str) -> Figures:
    """Return the figures of all trainings, in the order of their seeds, by way."""
    found: dict[Way, list[list[float]]] = defaultdict(list)
    for file in sorted(folder.glob(f"{table}-*.csv")):
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                way = tuple(value for name, value in row.items() if name not in (*MEASURES, REPLICATE))
                found[way].append([100 * float(row[name]) for name in MEASURES])
    return {way: np.array(rows) for way, rows in found.items()}


def _trainings(results: Path) -> str:
    names = sorted({file.stem.removeprefix("maps-") for file in results.glob(STORED)})
    found = [re.fullmatch(r"k(\d+)-epochs(\d+)-seed(\d+)", name) for name in names]
    longer = f"epochs on up to {MOST_IMAGES} normal images, on more as many steps"
    ways = sorted({f"{m[1]} networks in each ensemble of each DDAD, {m[2]} {longer}" for m in found if m})
    seeds = sorted({int(m[3]) for m in found if m})
    return f"{'; '.join(ways)}; seeds {', '.join(map(str, seeds))}"
