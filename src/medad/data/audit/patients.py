"""Who stands in two splits; patients are counted, never named."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from medad.data.audit.lists import SPLITS
from medad.errors import OptionError

LIKELY = r"^(\D*\d+)[_\- ]"  # what stands before the first separator after a number
LARGEST = 0.1  # share of the images above which a common beginning of names is no patient's


def read_pattern(text: str) -> re.Pattern[str]:
    """Read a pattern whose first group is the patient.

    Raises
    ------
    OptionError
        If it is no regular expression, or has no group.
    """
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise OptionError("patient_pattern", f"not a regular expression ({error})", text) from None
    if not pattern.groups:
        raise OptionError("patient_pattern", r"put brackets around the patient, such as '^(\d+)_'", text)
    return pattern


def from_names(ids: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    """Return the patient in the name of each image, its folders left out; empty where the pattern does not match."""
    found = (pattern.search(posixpath.basename(id)) for id in ids)
    return [(match.group(1) or "") if match else "" for match in found]


def suggested(ids: Sequence[str]) -> list[str]:
    """Return what names have in common as patients might; nothing where they do not look like it.

    They do if at least half of the names begin with letters and a number, then a separator, if several names share
    such a beginning, and no beginning is shared by more than a tenth of all.
    """
    keys = from_names(ids, re.compile(LIKELY))
    counts: defaultdict[str, int] = defaultdict(int)
    for key in filter(None, keys):
        counts[key] += 1
    likely = 2 * sum(counts.values()) >= len(ids) > 0 and 1 < max(counts.values()) <= max(LARGEST * len(ids), 2)
    return keys if likely else []


def across(keys: Sequence[str], splits: Sequence[str]) -> list[dict[str, Any]]:
    """Count what stands in two splits.

    Parameters
    ----------
    keys : sequence of str
        (N,) patient, study or series of each image, empty where unknown.
    splits : sequence of str
        (N,) its split.

    Returns
    -------
    list of dict
        For every two splits that share any: ``splits``, how many are ``shared``, and ``images``: the positions of
        theirs in the two splits.
    """
    members: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, (key, split) in enumerate(zip(keys, splits, strict=True)):
        if key:
            members[key][split].append(index)
    found = []
    for first, second in combinations(SPLITS, 2):
        both = [one for one in members.values() if first in one and second in one]
        if both:
            images = sorted(i for one in both for split in (first, second) for i in one[split])
            found.append({"splits": [first, second], "shared": len(both), "images": images})
    return found


def told(what: str, shared: Mapping[str, Any]) -> str:
    """Say how many there are in two splits, given one of what `across` found."""
    first, second = shared["splits"]
    return f"{what} among both the {first} and the {second} images: {shared['shared']}"


def parted(patients: Sequence[str], sides: Sequence[str], splits: Sequence[str]) -> int:
    """Count patients with two sides, such as left and right eye or two views, that stand in different splits."""
    seen: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for patient, side, split in zip(patients, sides, splits, strict=True):
        if patient and side:
            seen[patient].add((side, split))
    return sum(any(a[0] != b[0] and a[1] != b[1] for a, b in combinations(one, 2)) for one in seen.values())
