"""What the user should know about images that were converted: one line for each matter."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medad.data.preprocessing import Preprocessing
from medad.data.readers import Decoded

DIM = 65536 // 4  # a quarter of the range of 16 bits


@dataclass(frozen=True)
class Facts:
    """How a file stored its image.

    Attributes
    ----------
    mode : str
        In Pillow's words.
    width, height : int
        Pixels.
    constant, rescaled : bool
        Whether nothing is to be seen after preprocessing; whether values were scaled by their own range.
    peak : int or None
        Highest value of an image of 16 bits.
    patient : bool
        Whether the header names the patient; not who it is, as facts are kept on disk.
    """

    mode: str
    width: int
    height: int
    constant: bool
    rescaled: bool
    peak: int | None
    patient: bool

    @classmethod
    def of(cls, image: Decoded, result: np.ndarray) -> "Facts":
        """Look at one image as it was decoded, and at the (C, S, S) result of its preprocessing."""
        height, width = image.pixels.shape[:2]
        constant = not np.ptp(result, axis=(1, 2)).any()
        peak = int(image.pixels.max()) if image.pixels.dtype == np.uint16 else None
        return cls(image.mode, width, height, constant, image.rescaled, peak, bool(image.header.patient))


def describe(facts: Sequence[Facts], ids: Sequence[str], preprocessing: Preprocessing) -> tuple[str, ...]:
    """Say what was converted, with counts.

    Parameters
    ----------
    facts : sequence of Facts
        One for each image of the set.
    ids : sequence of str
        Its ids.
    preprocessing : Preprocessing
        What the images were converted to.

    Returns
    -------
    tuple of str
        One line for each of: mixed modes, mixed sizes, stretched images, values scaled by their own
        range, constant images, 16-bit values that stay low; none for what does not occur.
    """
    modes = Counter(fact.mode for fact in facts)
    sizes = Counter((fact.width, fact.height) for fact in facts)
    stretched = sum(fact.width != fact.height for fact in facts)
    rescaled = sum(fact.rescaled for fact in facts)
    constant = [id for id, fact in zip(ids, facts, strict=True) if fact.constant]
    peak = max((fact.peak for fact in facts if fact.peak is not None), default=0)
    lines = []
    if len(modes) > 1:
        counts = ", ".join(f"{count} {mode}" for mode, count in modes.most_common())
        target = "grey" if preprocessing.channels == 1 else "RGB"
        lines.append(f"mixed modes: {counts}, converted to {target}")
    if len(sizes) > 1:
        (width, height), count = sizes.most_common(1)[0]
        usual = f"most often {width} x {height} ({count} of {len(facts)})"
        lines.append(f"mixed sizes: {len(sizes)} different, {usual}")
    if stretched:
        lines.append(f"{stretched} of {len(facts)} images are not square and were stretched")
    if rescaled:
        lines.append(f"{rescaled} of {len(facts)} images hold 32-bit values, scaled by their own range")
    if constant:
        lines.append(f"constant images: {len(constant)} (first: {constant[0]})")
    if 0 < peak < DIM:
        factor = 1 << (16 - peak.bit_length())
        lines.append(
            f"16-bit images hold no value above {peak} of 65535, nearly black: multiply all their values by {factor}"
        )
    return tuple(lines)
