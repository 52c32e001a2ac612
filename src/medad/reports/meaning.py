"""What the figures of a run mean, in words: the opening of its report."""

from collections.abc import Iterator, Mapping

from medad.evaluation.intervals import few_words
from medad.evaluation.metric import Metric
from medad.evaluation.metric_list import AUROC, SENSITIVITY, SPECIFICITY
from medad.reports.outcome import Outcome
from medad.reports.tables import control_name, interval, percent


def verdict(outcome: Outcome) -> str:
    """Say whether the score tells the classes apart better than chance: by the interval of its AUROC."""
    if not outcome.classes:
        return f"{_count(outcome.images)} scored. They have no labels, so nothing is said about accuracy."
    if not outcome.own:
        return "With one class only there is no accuracy to report."
    words = "Not shown to be better than chance"
    if outcome.better or outcome.worse:
        words = "Better than chance" if outcome.better else "Worse than chance"
    score = "the detector's score" if outcome.score == "pred_score" else f"the score {outcome.score}"
    return (
        f"{words}: by {score} an abnormal image ranks above a normal one in {_figure(outcome.own, AUROC)} of pairs "
        f"({AUROC.name}; by chance 50 %)."
    )


def meaning(outcome: Outcome) -> Iterator[str]:
    """Yield what else has to be known before the figures are used, each in a few sentences."""
    if outcome.reversed:
        yield (
            f"{AUROC.name} lies below 50 %: abnormal images tend to get the lower scores. Either the labels are "
            "swapped, or this method finds abnormal images easier than normal ones (it reconstructs them better, for "
            "example); then the score ranks the wrong way round."
        )
    yield from _against_control(outcome)
    yield from _threshold(outcome)
    if used := "; ".join(_images(outcome)):
        yield f"Images: {used}."
    if outcome.few:
        yield f"{few_words(**outcome.classes)} One image moves a share by {100 / outcome.smallest:.0f} points."


def _against_control(outcome: Outcome) -> Iterator[str]:
    if outcome.own and outcome.control:
        name, row = outcome.control
        words = "Not above" if outcome.beaten else "Above" if outcome.above_controls else "Not clearly above"
        text = f"{words} the best of what sees no pathology: {control_name(name)}, {AUROC.name} {_figure(row, AUROC)}."
        yield text if outcome.above_controls else f"{text} So this test does not show that the score sees disease."


def _threshold(outcome: Outcome) -> Iterator[str]:
    if outcome.threshold is None:
        yield "No threshold: the scores rank images, but call none of them normal or abnormal."
        return
    called = f"a score of {outcome.threshold:.4g} or more is called abnormal, here {outcome.flagged} of "
    source = f", by {_count(outcome.held_out, 'held-out normal image')}" if outcome.held_out else ""
    promise = f"Promised specificity: {percent(outcome.promised)} %{source}."
    yield " ".join([f"Threshold: {called}{_count(outcome.images)}.", promise, *_measured(outcome)])


def _measured(outcome: Outcome) -> Iterator[str]:
    """Yield measured against promised specificity, and the sensitivity, as far as there are images of the class."""
    if outcome.decision.get(SPECIFICITY.key) is not None:
        spared = f"Measured {SPECIFICITY.name}: {_figure(outcome.decision, SPECIFICITY)}"
        yield f"{spared}, less than promised." if outcome.promise_broken else f"{spared}."
    if outcome.decision.get(SENSITIVITY.key) is not None:
        yield f"{SENSITIVITY.name.capitalize()}: {_figure(outcome.decision, SENSITIVITY)}."


def _images(outcome: Outcome) -> Iterator[str]:
    """Yield how many images of each split were really used."""
    normal, unlabeled = (outcome.counts.get(name, {}) for name in ("normal", "unlabeled"))
    if normal:
        yield f"{normal['images']} normal{_normal_use(normal)}"
    if unlabeled:
        yield f"{unlabeled['images']} unlabeled{_unlabeled_use(unlabeled)}"
    if outcome.classes:
        yield f"tested on {outcome.classes['normal']} normal and {outcome.classes['abnormal']} abnormal"


def _normal_use(images: Mapping[str, int]) -> str:
    if "trained" not in images:
        return ""
    if not images["held_out"]:
        return ", all learned from"
    return f", of which {images['trained']} were learned from and {images['held_out']} held out for the threshold"


def _unlabeled_use(images: Mapping[str, int]) -> str:
    return {None: "", 0: ", ignored by this method"}.get(images.get("used"), ", learned from as well")


def _count(n: int, what: str = "image") -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _figure(row: Mapping, metric: Metric) -> str:
    """Write a share in per cent with its interval, where it has one."""
    ends = row.get(metric.ci)
    return f"{percent(row[metric.key])} %{f' (95 % interval {interval(ends)})' if ends else ''}"
