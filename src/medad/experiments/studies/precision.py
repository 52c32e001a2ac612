"""Does bf16 keep every score? Stored runs that differ in nothing but their precision, compared image by image.

``python -m medad.experiments.studies.precision`` prints the tables that stand in ``docs/performance.md``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from medad.evaluation.metrics import auroc
from medad.evaluation.scores import ScoreTable
from medad.evaluation.statistics import delong_test
from medad.experiments.command import add_stored, existing, run_command, study_parser
from medad.experiments.deduplicated import deduplicated
from medad.experiments.stored import RESULTS, Result, stored
from medad.experiments.subsets import restrict
from medad.reports.markdown import markdown_table

RAW, REFINED = ("a_rec", "a_rec_ensemble", "a_intra", "a_inter"), ("r_intra", "r_dual")
LARGEST_MEAN, LARGEST_END = 0.5, 1.0  # points of AUROC
BF16, CONTROL = "bf16", "refine-False"  # how the folders of what is compared with fp32 end

WHAT = f"""\
Runs of preset paper with equal images, options and seeds, in bf16 and in fp32. A difference is the AUROC in bf16 \
minus that in fp32, in points; beside it DeLong's 95 % interval for the same test images, and the difference without \
the test images that have a near-duplicate in training. bf16 *holds* for a part, \
a backbone or ASR-Net, if the mean of |difference| over its scores and runs is at most {LARGEST_MEAN} and the 95 % \
interval of the mean difference over runs (Student's t), with one run all DeLong intervals, lies within \
±{LARGEST_END:g}. Training amplifies any rounding, so runs of two \
precisions differ as runs of two seeds do: the last column shows the standard deviation over seeds in fp32, where \
there are several."""

WHAT_CONTROL = """\
*Control*: the same training in fp32 once more, by a later version of medad that adds the same numbers in another \
order. Its differences are what changes of rounding do within one precision."""


@dataclass(frozen=True)
class Difference:
    """A score of a pair of runs: another run minus that in fp32, points of AUROC, with DeLong's interval.

    `clean` is the difference on the de-duplicated split, if there is one.
    """

    dataset: str
    method: str
    seed: int
    score: str
    value: float
    low: float
    high: float
    clean: float | None = None


def pairs(results: Path = RESULTS, other: str = BF16) -> Iterator[tuple[str, Result, Result]]:
    """Yield (data set, run in fp32, the other run) for all stored pairs."""
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        runs = {(run.method, run.run["seed"]): run for run in stored(folder.name, results)}
        for (method, seed), run in sorted(runs.items()):
            if (f"{method}-{other}", seed) in runs:
                yield folder.name, run, runs[f"{method}-{other}", seed]


def differences(results: Path = RESULTS, other: str = BF16) -> list[Difference]:
    """Return the differences of all scores that both runs of a pair have."""
    found = []
    for dataset, fp32, run in pairs(results, other):
        kept = deduplicated(dataset, results)
        for score in (*RAW, *REFINED):
            if score in fp32.scores.rows and score in run.scores.rows:
                points = _difference(run.scores, fp32.scores, score)
                clean = _difference(restrict(run.scores, kept), fp32.scores, score)[0] if kept else None
                found.append(Difference(dataset, fp32.method, fp32.run["seed"], score, *points, clean))
    return found


def _difference(first: ScoreTable, second: ScoreTable, score: str) -> tuple[float, float, float]:
    """Return the difference of two AUROCs on the images of `first` and its interval, in points."""
    assert first.gt_label is not None
    second = restrict(second, first.image_path)
    test = delong_test(first.gt_label, first.rows[score], second.rows[score], (first.image_path, second.image_path))
    return 100 * test.difference, 100 * test.low, 100 * test.high


def parts(found: Sequence[Difference]) -> dict[str, list[Difference]]:
    """Return what is judged by name: the raw scores of each backbone, and the refined ones."""
    raw = [d for d in found if d.score in RAW]
    by_backbone = {method: [d for d in raw if d.method == method] for method in sorted({d.method for d in raw})}
    refined = [d for d in found if d.score in REFINED]
    return by_backbone | ({"ASR-Net": refined} if refined else {})


def verdict(part: str, chosen: Sequence[Difference]) -> list[str]:
    """Return a row: part, runs, mean |difference|, mean difference with its interval, verdict."""
    runs: dict[tuple[str, str, int], list[float]] = {}
    for d in chosen:
        runs.setdefault((d.dataset, d.method, d.seed), []).append(d.value)
    means = np.array([np.mean(values) for values in runs.values()])
    absolute, mean = float(np.mean([abs(d.value) for d in chosen])), float(means.mean())
    row = [part, str(len(means)), f"{absolute:.2f}"]
    if len(means) > 1:
        margin = stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
        low, high = mean - margin, mean + margin
    else:
        low, high = min(d.low for d in chosen), max(d.high for d in chosen)
    holds = absolute <= LARGEST_MEAN and max(abs(low), abs(high)) <= LARGEST_END
    return [*row, f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]", "holds" if holds else "does not hold"]


def section(results: Path = RESULTS) -> str:
    """Return what the runs show, in Markdown."""
    found = differences(results)
    if not found:
        return "No pair of runs is stored."
    head = ["part", "runs", "mean of |difference|", "mean difference", "verdict"]
    verdicts = [head, *(verdict(part, chosen) for part, chosen in parts(found).items())]
    paragraphs = [WHAT, _table(verdicts), _table(_rows(found, results))]
    if control := differences(results, CONTROL):
        paragraphs += [WHAT_CONTROL, _table(_rows(control, results))]
    return "\n\n".join(paragraphs)


def _table(rows: Iterable[list[str]]) -> str:
    return markdown_table(list(rows))


def _rows(found: Sequence[Difference], results: Path) -> Iterator[list[str]]:
    yield ["data", "run", "seed", "score", "difference", "de-duplicated", "sd over seeds, fp32"]
    spread = _seed_spread(found, results)
    for d in found:
        sd = spread.get((d.dataset, d.method, d.score))
        interval = f"{d.value:+.2f} [{d.low:+.2f}, {d.high:+.2f}]"
        clean = "" if d.clean is None else f"{d.clean:+.2f}"
        yield [d.dataset, d.method, str(d.seed), d.score, interval, clean, "" if sd is None else f"{sd:.2f}"]


def _seed_spread(found: Sequence[Difference], results: Path) -> dict[tuple[str, str, str], float]:
    """Return the standard deviation of the AUROC over the seeds in fp32, in points, where there are several."""
    spread: dict[tuple[str, str, str], float] = {}
    for dataset in {d.dataset for d in found}:
        values: dict[tuple[str, str, str], list[float]] = {}
        for run in stored(dataset, results):
            for score, value in _points(run).items():
                values.setdefault((dataset, run.method, score), []).append(value)
        spread |= {key: float(np.std(some, ddof=1)) for key, some in values.items() if len(some) > 1}
    return spread


def _points(run: Result) -> dict[str, float]:
    """Return the AUROC of each score, the mean over its members, in points."""
    labels = run.scores.gt_label
    if labels is None:
        return {}
    return {name: 100 * float(np.mean([auroc(labels, m) for m in row])) for name, row in run.scores.rows.items()}


def main() -> None:
    """Print the tables."""
    parser = study_parser("precision", __doc__)
    add_stored(parser)
    print(section(existing(parser.parse_args().stored)))


if __name__ == "__main__":
    run_command(main)
