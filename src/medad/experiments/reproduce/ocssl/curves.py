"""How much the anomaly rate and the number of unlabeled images matter."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.data.preprocessing import Preprocessing
from medad.detectors.registry import METHODS, make_detector
from medad.evaluation.controls import Controls
from medad.evaluation.metrics import auroc
from medad.experiments.deduplicated import deduplicated
from medad.experiments.reproduce.ocssl.rows import SEEDS
from medad.experiments.reproduce.ocssl.settings import RATE, Setting, repartition
from medad.experiments.reproduce.ocssl.stored import FOLDER
from medad.experiments.reproduce.splits import draw_stratified
from medad.files import replacing
from medad.reports.figures import PALETTE, tidy
from medad.reports.markdown import markdown_table
from medad.workflows.notes import say
from medad.workflows.splits import load

FILE = "curves.json"
PICTURE = "ocssl.png"
RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
SIZES = (100, 200, 400, 700, 1000)
SIZE = 400  # unlabeled images at every rate
METHOD, CONTROL = "nu", "thumbnail_nu"
CURVED = (Setting("brain_tumor", "brain_tumor", split="manifest.csv"), Setting("pediatric_cxr", "pediatric_cxr"))
AXES = {"rate": f"anomaly rate of {SIZE} unlabeled images", "size": f"unlabeled images, anomaly rate {RATE}"}


@dataclass(frozen=True)
class Point:
    """One training: on which set, what was varied (``"rate"`` or ``"size"``), its value, and AUROCs by row."""

    dataset: str
    varied: str
    value: float
    seed: int
    aurocs: dict[str, float]


def compute_curves(data: Path, results: Path, out: Path, jobs: int | None = None) -> None:
    """Compute the curves of the data sets that are there, and write them below ``out/ocssl``."""
    points = read_points(out)
    for setting in CURVED:
        if (data / setting.dataset).is_dir() and not any(p.dataset == setting.name for p in points):
            points += _of_set(setting, data, results, jobs)
            write_points(points, out)


def write_points(points: Sequence[Point], results: Path) -> None:
    """Store the curves."""
    file = results / FOLDER / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial:
        partial.write_text(json.dumps([asdict(p) for p in points], indent=0), encoding="utf-8")


def read_points(results: Path) -> list[Point]:
    """Return what is stored."""
    file = results / FOLDER / FILE
    return [Point(**point) for point in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []


def _of_set(setting: Setting, data: Path, results: Path, jobs: int | None) -> Iterator[Point]:
    who, kept = repartition(setting, data), deduplicated(setting.dataset, results)
    sizes = (METHODS[METHOD].size, 64)
    test = [entry for entry in who.test if kept is None or entry.id in kept]
    normals, tests = ([_read(part, setting, size) for size in sizes] for part in (who.normal, test))
    asked = [("rate", rate, SIZE, rate) for rate in RATES] + [("size", size, size, RATE) for size in SIZES]
    for varied, value, size, rate in asked:
        for seed in SEEDS:
            say(f"{setting.name}: {varied} {value}, seed {seed}")
            pool = draw_stratified(who.unlabeled, size, rate, seed)
            large, small = (_read(pool, setting, side).unlabelled() for side in sizes)
            detector = make_detector(METHOD, "paper", seed=seed, jobs=jobs, channels=setting.channels)
            detector.fit(normals[0].unlabelled(), large)
            found = {METHOD: detector.scores(tests[0].unlabelled())["pred_score"]}
            found[CONTROL] = Controls.fit(normals[1].unlabelled(), small, seed).scores(tests[1])[CONTROL]
            yield Point(setting.name, varied, value, seed, {n: _auroc(tests[0], s) for n, s in found.items()})


def _read(entries: Sequence[Entry], setting: Setting, size: int) -> ImageSet:
    return load(entries, Preprocessing(size, setting.channels), "images", None)


def _auroc(images: ImageSet, scores: np.ndarray) -> float:
    assert images.labels is not None
    return round(auroc(images.labels, scores), 5)


def section(results: Path) -> Iterator[str]:
    """Yield the paragraphs about the curves; none where none are stored."""
    points = read_points(results)
    if not points:
        return
    yield "## Fewer abnormal, and fewer unlabeled images"
    yield (
        f"AUROC in %, mean ± standard deviation over {len(SEEDS)} draws of the unlabeled images, of `{METHOD}` and of "
        f"the control `{CONTROL}`, which sees 8 x 8 pixels; brain_tumor on its de-duplicated test images."
    )
    for varied, axis in AXES.items():
        values = sorted({p.value for p in points if p.varied == varied})
        yield markdown_table([[axis, *(f"{v:g}" for v in values)], *_rows(points, varied, values)])
    yield f"![AUROC by anomaly rate and by number of unlabeled images]({PICTURE})"


def _rows(points: Sequence[Point], varied: str, values: Sequence[float]) -> Iterator[list[str]]:
    for dataset in dict.fromkeys(p.dataset for p in points):
        for row in (METHOD, CONTROL):
            found = [_some(points, dataset, varied, v, row) for v in values]
            yield [f"{dataset}, {row}", *(f"{100 * f.mean():.1f} ± {100 * f.std(ddof=1):.1f}" for f in found)]


def _some(points: Sequence[Point], dataset: str, varied: str, value: float, row: str) -> np.ndarray:
    return np.array([p.aurocs[row] for p in points if (p.dataset, p.varied, p.value) == (dataset, varied, value)])


def pictures(results: Path) -> dict[str, bytes]:
    """Return the figure of the curves; none where none are stored."""
    points = read_points(results)
    if not points:
        return {}
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for ax, (varied, axis) in zip(figure.subplots(1, 2, sharey=True), AXES.items(), strict=True):
        values = sorted({p.value for p in points if p.varied == varied})
        for i, dataset in enumerate(dict.fromkeys(p.dataset for p in points)):
            for row, style in ((METHOD, "-o"), (CONTROL, "--")):
                means = [100 * _some(points, dataset, varied, v, row).mean() for v in values]
                ax.plot(values, means, style, color=PALETTE[i], markersize=4, label=f"{dataset}, {row}")
        tidy(ax, "", axis, "AUROC, %")
    figure.axes[0].legend(fontsize=8, frameon=False)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return {PICTURE: png.getvalue()}
