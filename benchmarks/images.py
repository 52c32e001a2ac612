"""Images for measurements: what they show does not matter to speed, only that they are no constants."""

from pathlib import Path

import numpy as np
from PIL import Image

from medad.data.imageset import ImageSet


def make_pixels(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Return smooth random ``uint8`` images, (count, 1, size, size)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8), dtype=np.uint8)
    large = [Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR) for image in coarse]
    return np.stack([np.asarray(image) for image in large])[:, None]


def make_set(pixels: np.ndarray) -> ImageSet:
    """Return `pixels` as images with made-up ids."""
    return ImageSet(pixels, tuple(f"{i}.png" for i in range(len(pixels))), ("",) * len(pixels))


def make_file(path: Path, count: int, size: int) -> np.ndarray:
    """Write `count` images to `path` a thousand at a time and return them memory-mapped."""
    shape = (count, 1, size, size)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, count, 1000):
        stop = min(start + 1000, count)
        file[start:stop] = make_pixels(stop - start, size, seed=start)
    file.flush()
    return np.load(path, mmap_mode="r")


def as_pil(pixels: np.ndarray) -> list[Image.Image]:
    """Return grey images one by one."""
    return [Image.fromarray(image[0]) for image in pixels]
