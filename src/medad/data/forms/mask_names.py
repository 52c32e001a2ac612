"""Masks that are named after their images, in the manners of those who publish such data."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

# What follows the name of the image in MVTec AD; in VisA, BTAD and BMAD; in others. The first one that is there counts.
ENDINGS = ("_mask", "", "-mask", "_gt", "_seg", "_segmentation", "_label", "_anomaly_mask")


def match_masks(images: Iterable[str], masks: Iterable[str]) -> dict[str, str]:
    """Find the mask of each image.

    Parameters
    ----------
    images, masks : iterable of str
        Names of files in the folder of the images and in that of the masks. Upper and lower case, and the kinds of
        file, may differ. A folder that bears the name of an image may hold its one mask, as in MVTec LOCO.

    Returns
    -------
    dict
        Image to mask; images without a mask are left out.
    """
    by_stem: dict[str, str] = {}
    inside: dict[str, list[str]] = defaultdict(list)
    for name in sorted(masks):
        by_stem.setdefault(_stem(name), name)
        inside[PurePosixPath(name).parent.as_posix().lower()].append(name)
    found = {}
    for image in images:
        stem = _stem(image)
        named = next((by_stem[stem + ending] for ending in ENDINGS if stem + ending in by_stem), None)
        own = inside.get(stem, [])
        if named or len(own) == 1:
            found[image] = named or own[0]
    return found


def _stem(name: str) -> str:
    return os.path.splitext(name)[0].lower()
