"""What the user should know about images that were converted: one line for each matter."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from medad.data.preprocessing import Preprocessing
from medad.data.readers import Decoded

AS_THEY_ARE = "bits as they are"
SHALLOW = 14  # bits: 16-bit files that use no more of them show at most a quarter of full brightness
VERBS = {"stretch": "stretched", "pad": "given black margins", "crop": "cropped to their middle"}


@dataclass(frozen=True)
class Facts:
    """How a file stored its image, and what became of it; nothing that identifies anybody, as facts are kept on disk.

    Attributes
    ----------
    format, mode : str
        See :class:`medad.data.readers.Decoded`.
    width, height : int
        Pixels, as the image is shown.
    bits : int
        That the type of its pixels has, or those of them that hold values where the file says so.
    peak : int
        Bits that its highest grey level needs after the intensity rule.
    applied : str
        What the intensity rule did.
    constant : bool
        Whether nothing is to be seen after preprocessing.
    patient : bool
        Whether the header names the patient.
    turned : int
        The EXIF orientation that was applied.
    spacing : tuple of float or None
        Of rows and columns.
    remarks : tuple of str
        What else was done or left out.
    """

    format: str
    mode: str
    width: int
    height: int
    bits: int
    peak: int
    applied: str
    constant: bool
    patient: bool
    turned: int
    spacing: tuple[float, float] | None
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, image: Decoded, shown: np.ndarray, applied: str, result: np.ndarray) -> "Facts":
        """Look at one image as it was decoded, its grey levels, and the (C, S, S) result of its preprocessing."""
        height, width = image.pixels.shape[:2]
        return cls(
            format=image.format,
            mode=image.mode,
            width=width,
            height=height,
            bits=image.header.bits or 8 * image.pixels.itemsize,
            peak=int(shown.max()).bit_length(),
            applied=applied,
            constant=not np.ptp(result, axis=(1, 2)).any(),
            patient=bool(image.header.patient),
            turned=image.turned,
            spacing=image.header.spacing,
            remarks=image.remarks,
        )


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
        One line for each of: mixed modes, mixed sizes, images that are not square, what the intensity rule did where
        that was not the same trivial thing everywhere, 16-bit values that stay low, constant images, and each remark;
        none for what does not occur.
    """
    sizes = Counter((fact.width, fact.height) for fact in facts)
    lines = []
    if len({fact.mode for fact in facts}) > 1:
        target = "grey" if preprocessing.channels == 1 else "RGB"
        lines.append(f"mixed modes: {_counts(fact.mode for fact in facts)}, converted to {target}")
    if len(sizes) > 1:
        (width, height), count = sizes.most_common(1)[0]
        usual = f"most often {width} x {height} ({count} of {len(facts)})"
        lines.append(f"mixed sizes: {len(sizes)} different, {usual}")
    oblong = sum(fact.width != fact.height for fact in facts)
    if oblong:
        lines.append(f"{oblong} of {len(facts)} images are not square and were {VERBS[preprocessing.fit]}")
    lines += _intensities(facts, ids)
    constant = [id for id, fact in zip(ids, facts, strict=True) if fact.constant]
    if constant:
        lines.append(f"constant images: {len(constant)} (first: {constant[0]})")
    remarks = Counter(remark for fact in facts for remark in fact.remarks)
    lines += [f"{count} of {len(facts)} images: {remark}" for remark, count in remarks.most_common()]
    return tuple(lines)


def intensity_groups(facts: Sequence[Facts]) -> dict[str, int]:
    """Count what the intensity rule did, by format and depth, the most frequent first."""
    groups = Counter(f"{fact.format}, {fact.bits} bits: {fact.applied}" for fact in facts)
    return dict(groups.most_common())


def _intensities(facts: Sequence[Facts], ids: Sequence[str]) -> Iterator[str]:
    """Say what the intensity rule did, if it was not the same trivial thing everywhere."""
    groups = intensity_groups(facts)
    if len({fact.applied for fact in facts}) > 1 or not all(name.endswith(AS_THEY_ARE) for name in groups):
        yield "intensity: " + "; ".join(f"{count} {name}" for name, count in groups.items())
    deep = [fact for fact in facts if fact.applied == f"16 {AS_THEY_ARE}"]
    dark = {id: fact.peak for id, fact in zip(ids, facts, strict=True) if fact in deep and 0 < fact.peak <= SHALLOW}
    if dark:
        few = f"{len(dark)} of {len(deep)} 16-bit images use no more than {max(dark.values())} bits and stay dark"
        cure = "`intensity` file, percentile or window makes them as bright as others"
        yield f"{few} (first: {next(iter(dark))}): {cure}"


def _counts(values: Iterable[str]) -> str:
    return ", ".join(f"{count} {value}" for value, count in Counter(values).most_common())
