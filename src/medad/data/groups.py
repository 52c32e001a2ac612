"""Facts by which images can be grouped, so that figures and promises are given for each group."""

import re
from collections.abc import Iterable, Mapping

from medad.data.readers.contract import Header

GROUPS = ("sex", "age", "manufacturer", "view", "site")  # columns of a manifest; a DICOM file knows all but the last
OLDEST, IMPOSSIBLE = 90, 130  # of those above 90 there are so few that an age may tell who it is
IN_WORDS = re.compile(r"[A-Za-z ]+|\d{1,3} ?- ?\d{1,3}|\d{1,3} ?\+|90 or older")  # no date of birth
Groups = Mapping[str, str]  # of one image, by the name of the fact; what is not known is not there


def groups_of(told: Mapping[str, str]) -> dict[str, str]:
    """Return what is told of `GROUPS`, ages in decades."""
    known = {name: told.get(name, "").strip() for name in GROUPS}
    known["age"] = decade(known["age"])
    return {name: value for name, value in known.items() if value}


def of_header(header: Header) -> dict[str, str]:
    """Return what a file says."""
    return groups_of({name: getattr(header, name, "") for name in GROUPS})


def decade(age: str) -> str:
    """Return the decade of an age in years, "60-69"; DICOM's "063Y" and "011M", too.

    Words and ranges stay as they are; what else there is, such as a date of birth, is left out.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([YMWD]?)", age.strip(), re.IGNORECASE)
    if not found:
        return age if IN_WORDS.fullmatch(age) else ""
    years = float(found[1]) / {"M": 12, "W": 52, "D": 365}.get(found[2].upper(), 1)
    first = 10 * int(years // 10)
    if first >= OLDEST:
        return f"{OLDEST} or older" if years < IMPOSSIBLE else ""
    return f"{first}-{first + 9}"


def columns_of(groups: Iterable[Groups]) -> dict[str, tuple[str, ...]] | None:
    """Return of several images what is known of each, empty where unknown; None where nothing is known of any."""
    every = list(groups)
    found = {name: tuple(one.get(name, "") for one in every) for name in GROUPS}
    return {name: values for name, values in found.items() if any(values)} or None
