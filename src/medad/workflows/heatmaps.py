"""Heat maps of many images as files."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.parallel import parallel_map
from medad.data.readers import read_image
from medad.reports.overlay import overlay

NAME_BYTES = 255  # what file systems allow


def draw_heatmaps(images: ImageSet, maps: np.ndarray, scale: Sequence[float], folder: Path, jobs: int | None) -> None:
    """Write the heat map of every image at its native size.

    Parameters
    ----------
    images : ImageSet
        Only ids and paths are used: pixels are read from the files once more.
    maps : ndarray
        Their anomaly maps, (n, S, S).
    scale : sequence of float
        Map values of no and of full colour, see :func:`medad.workflows.scale.normal_scale`.
    folder : Path
        Where they go, named by :func:`heatmap_path`.
    jobs : int, optional
        Number of threads; all cores by default.
    """
    low, high = scale

    def draw(i: int) -> None:
        file = heatmap_path(folder, images.ids[i])
        file.parent.mkdir(parents=True, exist_ok=True)
        overlay(read_image(Path(images.paths[i])), maps[i], low, high).save(file)

    for _ in parallel_map(draw, range(len(images)), "drawing heat maps", jobs):
        pass


def heatmap_path(folder: Path, image: str) -> Path:
    """Return ``folder/ID.png``: with the whole id, folders and extension, no two images share a file.

    A name too long for a file is cut, and a digest of the id keeps it apart from others.
    """
    path = folder / f"{image}.png"
    name = os.fsencode(path.name)
    if len(name) <= NAME_BYTES:
        return path
    ending = f"~{hashlib.blake2b(os.fsencode(image), digest_size=6).hexdigest()}.png"
    return path.with_name(name[: NAME_BYTES - len(ending)].decode(errors="ignore") + ending)
