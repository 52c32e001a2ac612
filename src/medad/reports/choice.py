"""Which score a detector that chooses for itself reports, and why, as a section of the report."""

from collections.abc import Callable, Iterator, Mapping

from medad.reports.html import Html, element, section, table


def choice_section(choice: Mapping | None, describe: Callable[[str], str]) -> Iterator[Html]:
    """Yield the section; nothing where nothing was chosen.

    Parameters
    ----------
    choice : mapping or None
        What ``run.yaml`` says of it: ``chosen``, ``rule`` and, by score, the figures ``judged``.
    describe : callable
        Name of a score -> what it is, in a few words.
    """
    if choice is None:
        return
    judged = sorted(choice["judged"].items(), key=lambda item: -item[1]["auc_u"])
    mean = {choice["chosen"]: "the mean, which is reported"} if " + " in choice["chosen"] else {}
    rows = [
        [name, f"{j['auc_u']:.3f}", f"{j['low']:.3f} to {j['high']:.3f}", mean.get(name) or describe(name)]
        for name, j in judged
    ]
    reported = choice["chosen"].replace(" + ", ", ")
    told = (
        f"The detector reports {'the mean of ' if mean else ''}{reported}. This was chosen without a label: every "
        "normal and every unlabeled image of the training was scored by networks that had not learned from it. "
        "AUC_u tells how well a score tells the unlabeled from the normal images (.5 is guessing)."
    )
    yield section(
        "Which score is reported",
        element("p", told),
        table(["score", "AUC_u", "95 % interval", "what it measures"], rows, text=[3]),
        element("p", f"The rule: {choice['rule']}.", "note"),
    )
