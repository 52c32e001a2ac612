"""The page of promises: what was promised and what was observed, over many random splits of stored scores."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from matplotlib.figure import Figure

from medad.evaluation.calibration import conformal_p_values
from medad.evaluation.promises.discoveries import q_values
from medad.evaluation.promises.exchangeability import Verdict, check
from medad.evaluation.promises.false_alarms import false_alarms
from medad.experiments.pages.archive_lists import archive_section
from medad.experiments.printed import printed_by
from medad.experiments.studies.promises import ABNORMAL, FOLDER, NORMAL, OTHERS, ROLES
from medad.reports.markdown import markdown_table

STORED = f"*/{FOLDER}/*.csv"
PICTURE = "promises.png"
SPLITS = 200
RATES = (0.05, 0.1, 0.2)
LISTED, ABNORMAL_SHARE, LEVEL = 100, 0.3, 0.1  # images of a list, the share of abnormal ones, the rate promised
LOCAL = 50  # normal images that a check looks at
SAME, ELSEWHERE, LOCALLY = "the same source", "the test set's", "the test set's, calibrated there"
MEANING = (
    f"A method learned from one half of the normal images (and the unlabeled ones). {SPLITS} times the other half was "
    "split at random: one part is the calibration set, the other normal images of *the same source*. Promises made on "
    "the calibration set are then kept or broken on these and on the normal images of the *test set*; for *calibrated "
    "there* one half of the test set's normal images is the calibration set for the other. No image is in two roles, "
    "nor one that looks exactly like it. Means over the splits ± their standard deviation, in %."
)
Arms = Mapping[str, tuple[np.ndarray, np.ndarray]]  # scores of a calibration set, and of normal images


@dataclass(frozen=True)
class Scores:
    """Stored scores of a method on a data set, by role."""

    dataset: str
    method: str
    roles: Mapping[str, np.ndarray]

    def arms(self, seed: int) -> Arms:
        """Return a random split."""
        rng = np.random.default_rng(seed)
        calibration, same = _halved(self.roles[OTHERS], rng)
        local, rest = _halved(self.roles[NORMAL], rng)
        return {SAME: (calibration, same), ELSEWHERE: (calibration, self.roles[NORMAL]), LOCALLY: (local, rest)}


def page(results: Path) -> str:
    """Return the page in Markdown."""
    every = _read(results)
    parts = [
        "# Promised and observed",
        f"{printed_by('medad results promises')} from `docs/results/DATASET/{FOLDER}/`, which `python -m "
        f"medad.experiments.studies.promises` stored on {' and '.join(_dates(results))}. How to promise: "
        "[promises](../promises.md).",
        MEANING,
        f"![Promised against observed false-alarm rates]({PICTURE})",
        "## False alarms",
        "Share of normal images that are called abnormal, where at most so many are promised.",
        _table(every, "promised", {f"{100 * rate:g}": _alarms(rate) for rate in RATES}),
        "## Lists",
        f"Of lists of {LISTED} images, {100 * ABNORMAL_SHARE:.0f} % of them abnormal, those with q of at most "
        f"{LEVEL:g} (Benjamini and Hochberg): the share of normal images among them, which is promised to be at most "
        f"{100 * LEVEL:g} % on average, and how many of the abnormal ones they hold.",
        _table(every, "", {"normal among the listed": _listed(0), "abnormal ones that are listed": _listed(1)}),
        *archive_section(results),
        "## Does medad check notice?",
        f"How often `medad check`, shown {LOCAL} normal images, says that a promised false-alarm rate of 5 % fails, or "
        "that the images differ from those of the promise, by scores alone.",
        _table(every, "", {"fails": _verdict(Verdict.FAILS), "differs": _verdict(Verdict.DIFFERENT)}, spread=False),
    ]
    return "\n\n".join(parts) + "\n"


def pictures(results: Path) -> dict[str, bytes]:
    """Return the figure of the page."""
    every = _read(results)
    datasets = list(dict.fromkeys(one.dataset for one in every))
    figure = Figure(figsize=(3.4 * len(datasets), 3.4), layout="constrained")
    axes = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    for ax, dataset in zip(axes, datasets, strict=True):
        for one, style in zip((one for one in every if one.dataset == dataset), ("-", "--"), strict=False):
            for arm, colour in zip((SAME, ELSEWHERE, LOCALLY), ("tab:blue", "tab:red", "tab:green"), strict=True):
                observed = [100 * np.mean(_over_splits(one, arm, _alarms(rate))) for rate in RATES]
                label = f"{one.method}, {arm}"
                ax.plot([100 * rate for rate in RATES], observed, style, marker="o", color=colour, label=label)
        ax.plot([0, 20], [0, 20], color="black", lw=0.8)
        ax.set(title=dataset, xlabel="promised at most, %", ylabel="observed, %" if ax is axes[0] else "")
    axes[-1].legend(fontsize=7)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return {PICTURE: png.getvalue()}


Measure = Callable[[np.ndarray, np.ndarray, np.ndarray, int], float]  # calibration, normal, abnormal scores, and a seed


def _alarms(rate: float) -> Measure:
    return lambda calibration, normal, abnormal, seed: float(
        (normal >= false_alarms(calibration, rate).threshold).mean()
    )


def _listed(part: int) -> Measure:
    def measure(calibration: np.ndarray, normal: np.ndarray, abnormal: np.ndarray, seed: int) -> float:
        rng = np.random.default_rng((seed, 1))
        bad = round(ABNORMAL_SHARE * LISTED)
        scores = np.concatenate([rng.choice(normal, LISTED - bad, False), rng.choice(abnormal, bad, False)])
        listed = q_values(conformal_p_values(scores, calibration)) <= LEVEL
        wrong, right = listed[: LISTED - bad].sum(), listed[LISTED - bad :].sum()
        return float((wrong / max(wrong + right, 1), right / bad)[part])

    return measure


def _verdict(verdict: Verdict) -> Measure:
    def measure(calibration: np.ndarray, normal: np.ndarray, abnormal: np.ndarray, seed: int) -> float:
        local = np.random.default_rng((seed, 2)).choice(normal, LOCAL, False)
        return float(check(calibration, local, false_alarms(calibration, RATES[0])).verdict == verdict)

    return measure


def _table(every: Sequence[Scores], head: str, measures: Mapping[str, Measure], spread: bool = True) -> str:
    rows = [["data set", "method", head, SAME, ELSEWHERE, LOCALLY]]
    for one in every:
        for name, measure in measures.items():
            cells = [_cell(_over_splits(one, arm, measure), spread) for arm in (SAME, ELSEWHERE, LOCALLY)]
            rows.append([one.dataset, one.method, name, *cells])
    return markdown_table(rows)


def _over_splits(one: Scores, arm: str, measure: Measure) -> list[float]:
    return [measure(*one.arms(seed)[arm], one.roles[ABNORMAL], seed) for seed in range(SPLITS)]


def _cell(values: Sequence[float], spread: bool) -> str:
    return f"{100 * np.mean(values):.1f}{f' ± {100 * np.std(values, ddof=1):.1f}' if spread else ''}"


def _halved(scores: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(len(scores))
    return scores[order[: len(order) // 2]], scores[order[len(order) // 2 :]]


@cache
def _read(results: Path) -> tuple[Scores, ...]:
    return tuple(_scores(file) for file in sorted(results.glob(STORED)))


def _scores(file: Path) -> Scores:
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    of_role = {role: [float(row["score"]) for row in rows if row["role"] == role] for role in ROLES}
    return Scores(file.parent.parent.name, file.stem, {role: np.array(scores) for role, scores in of_role.items()})


def _dates(results: Path) -> Iterator[str]:
    files = results.glob(f"*/{FOLDER}/*.yaml")
    yield from sorted({str(yaml.safe_load(file.read_text(encoding="utf-8"))["date"]) for file in files})
