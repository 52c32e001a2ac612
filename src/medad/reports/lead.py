"""The first sentences of a report: what was looked at, how well it went, and what follows, for readers of any trade."""

from collections.abc import Iterator

from medad.evaluation.metric_list import AUROC
from medad.reports.outcome import Outcome
from medad.reports.tables import control_name


def lead(outcome: Outcome) -> str:
    """Say in a few plain sentences what a run came to.

    Parameters
    ----------
    outcome : Outcome
        The facts.

    Returns
    -------
    str
        AUROC is told as the share of pairs, of a normal and an abnormal image, that are ranked rightly.
    """
    return " ".join([*_sentences(outcome), _promise(outcome)])


def _sentences(outcome: Outcome) -> Iterator[str]:
    classes = {name: n for name, n in outcome.classes.items() if n}
    looked = _count(outcome.images)
    if not classes:
        yield f"{looked} scored. Without labels nothing can be said about how well: look at the highest scores first."
        return
    if not outcome.own:
        yield f"{looked} scored, all {' and '.join(classes)}. It takes normal and abnormal images to tell how well."
        return
    yield f"{looked} scored, {' and '.join(f'{n} {name}' for name, n in classes.items())}."
    yield (
        f"Given a normal and an abnormal one of them, the detector scores the abnormal one higher in "
        f"{_of_100(outcome.own[AUROC.key])} of 100 cases{_between(outcome)}."
    )
    if outcome.control:
        name, row = outcome.control
        reached = _of_100(row[AUROC.key])
        yield f"The best control that knows nothing of disease ({control_name(name)}) reaches {reached}."
    yield _conclusion(outcome)


def _promise(outcome: Outcome) -> str:
    """Say what is promised about false alarms, and whether this test speaks against it."""
    if outcome.threshold is None:
        return "Nothing is promised about false alarms: no normal images were held out from training."
    most = f"at most {100 * (1 - outcome.promised):.3g} of 100 normal images"
    if outcome.promise_broken:
        return f"The threshold promised to call {most} abnormal, and calls more: the promise does not hold for these."
    return f"The threshold promises to call {most} abnormal, of those like the ones held out from training."


def _between(outcome: Outcome) -> str:
    ends = outcome.own.get(AUROC.ci)
    known = f"95 % interval {_of_100(ends[0])} to {_of_100(ends[1])}; " if ends else ""
    return f" ({known}50 by guessing)"


def _conclusion(outcome: Outcome) -> str:
    if outcome.reversed:
        return "So the score seems to rank the wrong way round: do not use it as it is."
    if not outcome.better:
        return "So it is not shown to do better than guessing: do not rely on it."
    if not outcome.above_controls:
        return "So it does better than guessing, but this test does not show that it sees disease."
    if outcome.few:
        return "So it does better than guessing; with so few images the figure may still be far off."
    more = " than guessing and than that control" if outcome.control else " than guessing"
    return f"So it does better{more}; the report shows what it misses and where it gives false alarm."


def _of_100(share: float) -> str:
    """Write a share as so many of 100; only a whole one is 100."""
    text = f"{100 * share:.0f}"
    return "more than 99" if text == "100" and share < 1 else text


def _count(n: int) -> str:
    return f"{n} image{' was' if n == 1 else 's were'}"
