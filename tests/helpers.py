"""Small generated images, and folders looked into, for tests."""

import os

import numpy as np
import torch

from medad.data.imageset import ImageSet


def make_images(
    count: int, size: int = 64, channels: int = 1, seed: int = 0, name: str = "image", dtype: type = np.uint8
) -> ImageSet:
    """Return smooth random blobs, different for every image."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    centre, width = (
        rng.uniform(0.3, 0.7, (2, count, channels, 1, 1)),
        rng.uniform(0.05, 0.3, (count, channels, 1, 1)),
    )
    pixels = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / width) * np.iinfo(dtype).max
    return ImageSet(pixels.astype(dtype), tuple(f"{name}{i}.png" for i in range(count)), ("",) * count)


def contents(folder):
    """Return all that lies in `folder`: files with their bytes, links with their targets, and folders."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def put(path, foreign=b"mine"):
    """Write a file of the user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(foreign)


def stages_of(detector, data, folder):
    """Return the stages of a training on `data`."""
    return detector.stages(detector.plan(data, folder))


def samples_of(method, options, x):
    """Return what the objective of `method` takes of images `x`."""
    return method.samples(options, lambda index: x[index], torch.arange(len(x)))
