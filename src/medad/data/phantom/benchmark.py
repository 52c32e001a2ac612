"""The phantom benchmark: generated head-like images, normal and abnormal, with masks."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.phantom.anatomy import draw_patient, head_coordinates, render
from medad.data.phantom.lesions import KINDS, LEVELS, add_lesion, draw_lesion
from medad.data.phantom.scan import draw_scan, record
from medad.errors import UserError

NORMAL = "normal"  # the kind of an image without a lesion
STREAMS = ("normal", "unlabeled", "test_0", "test_1")  # each is an endless sequence of patients


@dataclass(frozen=True)
class Phantom:
    """One generated image, ``uint8`` (C, H, W); mask and support, ``bool`` (H, W), as in `add_lesion`."""

    image: np.ndarray
    mask: np.ndarray
    support: np.ndarray


@dataclass(frozen=True)
class Phantoms:
    """The splits, each with labels, masks and kinds: detectors are given `unlabelled()` ones."""

    normal: ImageSet
    unlabeled: ImageSet
    test: ImageSet


def draw_phantom(
    key: tuple[int, int, int], kind: str, size: int = 64, channels: int = 1, level: str = "subtle"
) -> Phantom:
    """Draw one image; with kind "normal" it is the healthy twin of the same patient in the same scan.

    Parameters
    ----------
    key : tuple of int
        Seed, stream (place in `STREAMS`) and index in the stream: with `kind` they say everything.
    kind : str
        "normal" or one of `KINDS`.
    size, channels : int
        Pixels along a side, 32 or more (the anatomy does not depend on it), and 1 or 3 channels.
    level : str
        How hard lesions are to see: see `draw_lesion`.

    Returns
    -------
    Phantom
        The image, with an empty mask if normal.
    """
    of_patient, of_lesion, of_scan = np.random.default_rng(key).spawn(3)
    patient = draw_patient(of_patient)
    x, y = head_coordinates(patient, size)
    if kind == NORMAL:
        intensities = render(patient, x, y, size)
        mask = support = np.zeros((size, size), dtype=bool)
    else:
        intensities, mask, support = add_lesion(patient, draw_lesion(of_lesion, kind, patient, level), x, y, size)
    return Phantom(record(draw_scan(of_scan), intensities, channels, of_scan), mask, support)


def phantom_benchmark(
    size: int = 64,
    channels: int = 1,
    normal: int = 400,
    unlabeled: int = 400,
    anomaly_rate: float = 0.6,
    test: tuple[int, int] = (200, 200),
    seed: int = 0,
    level: str = "subtle",
) -> Phantoms:
    """Generate the benchmark; asking for more images of a split leaves its earlier ones as they are.

    Parameters
    ----------
    size, channels : int
        Pixels along a side, 32 or more, and 1 (grey) or 3 channels.
    normal, unlabeled : int
        Images known to be normal, and unlabeled ones.
    anomaly_rate : float
        Share of abnormal images among the unlabeled, 0 to 1, spread evenly over them.
    test : tuple of int
        Normal and abnormal test images.
    seed : int
        Not negative.
    level : str
        How hard lesions are to see: "subtle" or "plain" (see `draw_lesion`).

    Returns
    -------
    Phantoms
        Three sets of ``uint8`` images; the kinds of lesion take turns.

    Raises
    ------
    UserError
        If an argument is out of range.
    """
    _check(size, channels, min(normal, unlabeled, *test, seed), anomaly_rate)
    if level not in LEVELS:
        raise UserError(f"phantom images: level {level}; give {' or '.join(LEVELS)}")
    kinds = _unlabeled_kinds(unlabeled, anomaly_rate)
    of_unlabeled = [("unlabeled", i, kind) for i, kind in enumerate(kinds)]
    of_test = [("test_0", i, NORMAL) for i in range(test[0])]
    of_test += [("test_1", i, KINDS[i % len(KINDS)]) for i in range(test[1])]
    return Phantoms(
        normal=_image_set([("normal", i, NORMAL) for i in range(normal)], size, channels, seed, level),
        unlabeled=_image_set(of_unlabeled, size, channels, seed, level),
        test=_image_set(of_test, size, channels, seed, level),
    )


def _unlabeled_kinds(count: int, anomaly_rate: float) -> list[str]:
    """Return kinds so that at every length the abnormal are the rounded share and the lesions take turns."""
    abnormal = np.floor(np.arange(count + 1) * anomaly_rate + 0.5 + 1e-9).astype(int)  # before each image
    return [KINDS[n % len(KINDS)] if after > n else NORMAL for n, after in pairwise(abnormal)]


def _check(size: int, channels: int, smallest_count: int, anomaly_rate: float) -> None:
    if size < 32 or channels not in (1, 3):  # below 32 pixels a small lesion could miss every pixel's centre
        raise UserError(f"phantom images: size {size} and channels {channels}; give 32 or more and 1 or 3")
    if smallest_count < 0 or not 0 <= anomaly_rate <= 1:
        raise UserError("phantom images: give counts and a seed of 0 or more and an anomaly rate from 0 to 1")


def _image_set(plan: list[tuple[str, int, str]], size: int, channels: int, seed: int, level: str) -> ImageSet:
    """Draw the images named by (stream, index, kind)."""
    pixels = np.empty((len(plan), channels, size, size), dtype=np.uint8)
    masks = np.empty((len(plan), size, size), dtype=bool)
    for row, (stream, index, kind) in enumerate(plan):
        phantom = draw_phantom((seed, STREAMS.index(stream), index), kind, size, channels, level)
        pixels[row], masks[row] = phantom.image, phantom.mask
    return ImageSet(
        pixels=pixels,
        ids=tuple(f"images/{stream}_{index:04d}.png" for stream, index, _ in plan),
        paths=("",) * len(plan),
        labels=np.array([kind != NORMAL for *_, kind in plan], dtype=np.int8),
        masks=masks,
        kinds=tuple(kind for *_, kind in plan),
    )
