"""Where the lungs are in a chest X-ray, roughly: dark regions that do not touch the border (Sato et al., 2023)."""

import numpy as np
from scipy import ndimage

from medad.synthesis.clahe import BINS, equalised

AREAS_AT = 224  # side, in pixels, of the images for which areas in pixels are given
SMALLEST = 400  # pixels of a region that may be a lung
SQUARE = np.ones((3, 3), bool)


def lung_mask(grey: np.ndarray) -> np.ndarray:
    """Return where the lungs of a chest X-ray are: (S, S) ``bool``; everywhere if there are none.

    After equalisation all that is not above Otsu's threshold, and not black to begin with, is opened by 3 x 3 pixels,
    freed of regions at the border and dilated. Of regions of less than 400 pixels at 224, in other images of as much
    of the area, the bounding boxes are emptied.

    Parameters
    ----------
    grey : ndarray
        (S, S) in [0, 1]; S is a multiple of 8.
    """
    bright = equalised(grey)
    dark = (bright <= otsu_threshold(bright)) & (grey > 0)
    inner = without_border(ndimage.binary_opening(dark, SQUARE))
    found = without_small(ndimage.binary_dilation(inner, SQUARE), SMALLEST * (len(grey) / AREAS_AT) ** 2)
    return found if found.any() else np.ones_like(found)


def otsu_threshold(x: np.ndarray) -> float:
    """Return the middle of the bin, of 256 over the range, up to which values form the lower class.

    It is that of the largest variance between the two classes (Otsu, 1979), the first of several.
    """
    counts, edges = np.histogram(x, BINS)
    middles = (edges[1:] + edges[:-1]) / 2
    below, above = counts.cumsum(), counts[::-1].cumsum()[::-1]
    sums = counts * middles
    mean_below = sums.cumsum() / np.maximum(below, 1)
    mean_above = sums[::-1].cumsum()[::-1] / np.maximum(above, 1)
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return float(middles[between.argmax()])


def without_border(mask: np.ndarray) -> np.ndarray:
    """Return a mask without the regions, connected also across corners, that reach the image's outermost pixels."""
    regions, _ = ndimage.label(mask, SQUARE)
    outermost = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    return mask & ~np.isin(regions, outermost)


def without_small(mask: np.ndarray, smallest: float) -> np.ndarray:
    """Return a mask that is empty in the bounding boxes of its regions of fewer than `smallest` pixels."""
    regions, count = ndimage.label(mask, SQUARE)
    areas = np.bincount(regions.ravel(), minlength=count + 1)[1:]
    found = mask.copy()
    for box, area in zip(ndimage.find_objects(regions), areas, strict=True):
        if area < smallest:
            found[box] = False
    return found
