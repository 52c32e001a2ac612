"""Whether a figure of ours agrees with a published one."""

from medad.evaluation.figure import Figure

MARGIN = 3.0  # points within which two figures count as the same

RULE = (
    f"*Agrees*: the whole 95 % interval of the mean over trainings and images lies within {MARGIN:.0f} points of the "
    "published figure; *differs*: the whole interval lies farther away; *cannot tell*: neither. One training has no "
    "verdict: how much another would differ is not known. Nor is it known of the published figure, a single run as far "
    "as the papers say: *differs* means from that figure, not from what its authors would get again."
)


def verdict(figure: Figure, published: float, margin: float = MARGIN) -> str:
    """Return a verdict with the difference, ours minus published, e.g. ``"differs (-9.4)"``.

    Parameters
    ----------
    figure : Figure
        Ours, in [0, 1].
    published : float
        In %.
    margin : float
        In points: the equivalence of two figures is judged by two one-sided tests (Schuirmann 1987), here at 2.5 %.
    """
    difference, low, high = (100 * value - published for value in (figure.mean, figure.low, figure.high))
    if figure.sd is None:
        word = "one training"
    elif -margin <= low and high <= margin:
        word = "agrees"
    elif low > margin or high < -margin:
        word = "differs"
    else:
        word = "cannot tell"
    return f"{word} ({difference:+.1f})"
