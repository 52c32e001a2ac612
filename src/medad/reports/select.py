"""select.html: methods beside each other by how well they tell unlabeled from normal images, without a label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medad.evaluation.selection import RULE, Judged
from medad.files import replacing
from medad.reports.html import NOTICE, Html, bullets, cards, element, page, section, table

_Z = 1.96
_MEANING = (
    "AUC_u is how often, shown a normal and an unlabeled image that it has not seen, a method gives the unlabeled one "
    "the higher score; .5 is guessing. If a share π of the unlabeled images is abnormal and the two differ in nothing "
    "else, AUC_u = π AUC + (1 − π)/2: it cannot be high where few are abnormal, but it ranks methods as the true AUC "
    "does, up to noise. No label of an unlabeled image was looked at, and no test image was read."
)
_CONTROLS = (
    "They see brightness, texture, file size or a thumbnail, and no pathology. A method that is not above them has "
    "shown no more than that the normal and the unlabeled images come from different sources; medad audit looks for "
    "what tells them apart."
)
_HEAD = ("AUC_u", "95 % interval", "standard error", "behind the winner")


@dataclass(frozen=True)
class Choice:
    """What was compared, and what was chosen.

    Attributes
    ----------
    data : str
        Name of the data set.
    images : mapping of str to int
        Numbers of held-out normal and unlabeled images.
    winner : str
        What was chosen.
    methods, controls : mapping of str to Judged
        Figures by name.
    seconds : mapping of str to float
        Time of one fit and its scores, where it was measured.
    settings : mapping of str to object
        Options that all had in common, and the method that was chosen.
    """

    data: str
    images: Mapping[str, int]
    winner: str
    methods: Mapping[str, Judged]
    controls: Mapping[str, Judged]
    seconds: Mapping[str, float]
    settings: Mapping[str, object]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against the choice."""
        return tuple(_warnings(self))


def write_page(path: Path, choice: Choice) -> None:
    """Write the page to `path`, whole or not at all."""
    best = choice.methods[choice.winner]
    parts = [
        element("h1", f"Chosen without a label for {choice.data}: {choice.winner}"),
        element("p", _lead(choice, best), "lead"),
        cards((count, f"{name} images, held out") for name, count in choice.images.items()),
        *([element("div", bullets(choice.warnings), "meaning")] if choice.warnings else []),
        section("What was compared", _methods(choice), element("p", f"The rule: {RULE}.", "note")),
        section("What sees no pathology", element("p", _CONTROLS), table(("control", *_HEAD), _rows(choice.controls))),
        section("How to read it", element("p", _MEANING), element("p", _how(choice))),
        element("footer", NOTICE),
    ]
    with replacing(path) as partial:
        partial.write_text(page(f"Chosen for {choice.data}", *parts), encoding="utf-8")


def _lead(choice: Choice, best: Judged) -> str:
    told = (
        f"Shown a normal and an unlabeled image that it had not seen, {choice.winner} gave the unlabeled one the "
        f"higher score in {100 * best.auc_u:.0f} of 100 cases."
    )
    near = [name for name, one in _sorted(choice.methods) if name != choice.winner and _level(one)]
    return f"{told} Not to be told from it with certainty: {', '.join(near)}." if near else told


def _methods(choice: Choice) -> Html:
    timed = bool(choice.seconds)
    rows = _rows(choice.methods)
    if timed:
        rows = [[*row, f"{choice.seconds[str(row[0])]:.1f}"] for row in rows]
    return table(("method", *_HEAD, *(["seconds of a fit"] if timed else [])), rows)


def _rows(judged: Mapping[str, Judged]) -> list[list[object]]:
    return [
        [name, f"{one.auc_u:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{one.se:.3f}", _behind(one)]
        for name, one in _sorted(judged)
    ]


def _behind(one: Judged) -> str:
    if not one.behind and not one.behind_se:
        return "–"
    return f"{one.behind:.3f} ± {_Z * one.behind_se:.3f}"


def _sorted(judged: Mapping[str, Judged]) -> list[tuple[str, Judged]]:
    return sorted(judged.items(), key=lambda item: -item[1].auc_u)


def _level(one: Judged) -> bool:
    """Return whether the best of the list cannot be told from this one."""
    return one.behind <= _Z * one.behind_se


def _warnings(choice: Choice) -> Iterator[str]:
    best = choice.methods[choice.winner]
    if best.low <= 0.5:
        yield (
            f"No method tells unlabeled from normal images (AUC_u of the best: {best.auc_u:.3f}, 95 % interval "
            f"{best.low:.3f} to {best.high:.3f}): there is nothing to choose by."
        )
    name, control = _sorted(choice.controls)[0]
    if _level(control):
        yield (
            f"{name}, which sees no pathology, has AUC_u {control.auc_u:.3f}, {choice.winner} {best.auc_u:.3f}: too "
            "near to be told apart. The choice may rest on how the images were made; medad audit looks for that."
        )


def _how(choice: Choice) -> str:
    told = ", ".join(f"{name} {value}" for name, value in choice.settings.items())
    apart = "once, on four fifths" if not choice.seconds else "five times, on four fifths"
    return (
        f"Each was trained {apart} of the normal and of the unlabeled images, and judged on the others, images of a "
        "patient on one side where patients are known; ± is the half width of the 95 % interval of the difference, on "
        f"the same images. The winner was then trained on all of them ({told})."
    )
