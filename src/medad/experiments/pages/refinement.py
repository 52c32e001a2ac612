"""The page on the swing of the refined scores, printed from the stored curves, and its figures."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from matplotlib.figure import Figure

from medad.evaluation.scores import read_scores
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.deduplicated import deduplicated
from medad.experiments.figures import auroc_in_percent
from medad.experiments.paper import published_auroc
from medad.experiments.printed import printed_by
from medad.experiments.subsets import restrict
from medad.reports.markdown import markdown_table

Curves = dict[tuple[str, str], list[np.ndarray]]  # (recipe, weights) -> (epochs, 3): epoch, AUROC, de-duplicated
STORED = "*/*/refinement-of-seed*"  # folders of stored curves
LATE = 0.5  # the swing is measured over the second half of training


def read_curves(folder: Path) -> Curves:
    """Read ``SCORE-VARIANT-PRECISION-seedN.csv`` files: for each recipe and kind of weights an array per seed, in %."""
    curves: Curves = defaultdict(list)
    for path in sorted(folder.glob("*.csv")):
        rows = defaultdict(list)
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows[row["weights"]].append([float(row[k]) for k in ("epoch", "auroc", "auroc_deduplicated")])
        for weights, points in rows.items():
            curves[path.stem.split("-seed")[0], weights].append(np.array(points) * [1, 100, 100])
    return dict(curves)


def swing(curve: np.ndarray, column: int) -> tuple[float, float, float]:
    """Return the last value, the lowest and the highest of the second half of a curve."""
    late = curve[curve[:, 0] > LATE * curve[-1, 0], column]
    return float(late[-1]), float(late.min()), float(late.max())


def section(folder: Path) -> str:
    """Return the section on one run's curves, with the notes that lie beside them."""
    curves = read_curves(folder)
    rows = [["recipe", "weights", "seeds", "last epoch", "sd over seeds", "swing within a run", "last, de-duplicated"]]
    rows += [_row(variant, weights, runs) for (variant, weights), runs in curves.items()]
    rows += _unrefined(folder)
    title = f"## {folder.parent.parent.name}, {folder.parent.name}, {folder.name}"
    notes = [path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.md"))]
    return "\n\n".join([title, markdown_table(rows), f"![AUROC over epochs]({_picture(folder)})", *notes])


def _row(variant: str, weights: str, runs: list[np.ndarray]) -> list[str]:
    last, low, high = np.array([swing(run, 1) for run in runs]).T
    clean = np.array([swing(run, 2)[0] for run in runs])
    deviation = f"{last.std(ddof=1):.2f}" if len(runs) > 1 else ""
    numbers = [f"{last.mean():.1f}", deviation, f"{(high - low).mean():.1f}", f"{clean.mean():.1f}"]
    return [variant, weights, str(len(runs)), *numbers]


def _run(folder: Path) -> Path:
    """Return where the run is stored whose members were refined."""
    return folder.parent / folder.name.removeprefix("refinement-of-")


def _unrefined(folder: Path) -> Iterator[list[str]]:
    """Yield a row for each map of the run before refinement, if its scores are stored."""
    file = _run(folder) / "scores.csv"
    if file.exists():
        table = read_scores(file)
        kept = deduplicated(folder.parent.parent.name, folder.parents[2])
        parts = [table, restrict(table, kept)] if kept else [table]
        for name in ("a_intra", "a_inter"):
            whole, *clean = (auroc_in_percent(part.gt_label, part.columns[name]) for part in parts)
            yield [f"{name}, not refined", "", "", whole, "", "", *(clean or [""])]


def _published(folder: Path, score: str) -> float | None:
    """Return the AUROC in % that the paper has for the score, if its run is stored and the paper has one."""
    file = _run(folder) / "run.yaml"
    if not file.exists():
        return None
    run = yaml.safe_load(file.read_text(encoding="utf-8"))
    return published_auroc(run["data"]["name"], run["options"]["backbone"], score)


def _draw(folder: Path) -> bytes:
    """Return a PNG of AUROC over epochs."""
    curves = read_curves(folder)
    variants = sorted({variant for variant, _ in curves})
    figure = Figure(figsize=(4 * len(variants), 3.2), layout="constrained")
    axes = figure.subplots(1, len(variants), sharey=True, squeeze=False)[0]
    for ax, variant in zip(axes, variants, strict=True):
        for weights, colour in (("last", "tab:orange"), ("average", "tab:blue")):
            for i, run in enumerate(curves.get((variant, weights), [])):
                ax.plot(run[:, 0], run[:, 1], color=colour, lw=1, label=weights if i == 0 else None)
        published = _published(folder, variant.split("-")[0])
        if published is not None:
            ax.axhline(published, color="0.3", ls="--", lw=1, label="published")
        ax.set(title=variant, xlabel="epoch of ASR-Net", ylabel="AUROC, %" if ax is axes[0] else "")
        ax.legend()
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return png.getvalue()


def page(results: Path) -> str:
    """Return the page in Markdown."""
    return "\n\n".join([*_heading(), *map(section, _folders(results))]) + "\n"


def pictures(results: Path) -> dict[str, bytes]:
    """Return the figures of the page, PNG files by name."""
    return {_picture(folder): _draw(folder) for folder in _folders(results)}


def _folders(results: Path) -> list[Path]:
    return sorted(results.glob(STORED))


def _picture(folder: Path) -> str:
    return f"{folder.name}-{folder.parent.parent.name}-{folder.parent.name}.png"


def _heading() -> Iterator[str]:
    yield "# How steady are R_dual and R_intra?"
    yield f"{printed_by('medad results refinement')} from stored curves."
    yield (
        "ASR-Net is trained anew on the fixed members of a stored run, with another seed each time; every few "
        "epochs its last weights and an exponential average of them (decay 0.999 a step) score the test images. "
        "*paper* and *average*: constant rate, batch 8 (the average is passive, so the last weights are those of the "
        "paper's recipe); *cosine*: the rate falls to zero; *batch32*: batch 32, twice the rate; *brief*: half of the "
        "channels and a fifth of the epochs. Synthetic anomalies are those of the paper, squares of another image "
        "blended in, where no others are named: those of PII, NSA and CutPaste, or textures in Perlin masks. "
        "The swing is the highest minus the lowest AUROC over the second half of training, mean over seeds. No epoch "
        f"is chosen: the last one counts. Dashed in the figures: the paper's figure (Table 3). {CLEAN}"
    )
