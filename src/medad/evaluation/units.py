"""What belongs together and is only taken as a whole."""

from collections.abc import Sequence


def units(patients: Sequence[str] | None, count: int | None = None) -> list[str]:
    """Name the unit of each item: its patient, or the item itself where that is unknown ("").

    Parameters
    ----------
    patients : sequence of str or None
        (n,) names; None where nothing is known of `count` items.
    count : int, optional
        n.
    """
    known = [""] * (count or 0) if patients is None else patients
    return [patient or f"\0{i}" for i, patient in enumerate(known)]
