"""Heat maps of many images as files, and small pictures of them for the worklist."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from medad.data.imageset import ImageSet
from medad.data.loading import Failure
from medad.data.parallel import parallel_map
from medad.data.preprocessing import Preprocessing
from medad.data.readers import UnreadableImage, decode
from medad.reports.overlay import overlay, shown
from medad.reports.thumbnails import side_by_side
from medad.workflows.findings import HEATMAPS, PICTURES

SIDE = 256  # of a small picture, in pixels
NAME_BYTES = 255  # what file systems allow


def draw_pictures(
    images: ImageSet,
    maps: np.ndarray | None,
    scale: Sequence[float] | None,
    preprocessing: Preprocessing,
    out: Path,
    jobs: int | None,
) -> list[Failure]:
    """Write the heat map of every image at its native size, and a small picture of the image beside its map.

    Parameters
    ----------
    images : ImageSet
        Only ids and paths are used: pixels are read from the files once more.
    maps : ndarray or None
        Their anomaly maps, (n, S, S); None for a method without maps: the small pictures show the images alone.
    scale : sequence of float or None
        Map values of no and of full colour, see :func:`medad.workflows.scale.normal_scale`; needed for maps.
    preprocessing : Preprocessing
        Of the images whose maps they are; the pictures show them with the same intensity rule.
    out : Path
        Where they go, named by :func:`heatmap_path` and :func:`small_path`.
    jobs : int, optional
        Number of threads; all cores by default.

    Returns
    -------
    list of Failure
        Files that could be read when they were scored, but not any more.
    """

    def draw(i: int) -> Failure | None:
        frame = images.frames[i] if images.frames else None
        try:
            image = decode(Path(images.paths[i]), frame)
        except UnreadableImage as error:
            return Failure(error.path, f"scored, but gone when its heat map was drawn: {error.reason}")
        pictures = [shown(preprocessing.rule(image)[0])]
        if maps is not None and scale is not None:
            native = preprocessing.back(maps[i], image.pixels.shape[:2], image.header.spacing)
            pictures.append(overlay(np.asarray(pictures[0]), native, *scale))
            _save(pictures[1], heatmap_path(out, images.ids[i]))
        _save(side_by_side(pictures, SIDE), small_path(out, images.ids[i]))
        return None

    return [gone for gone in parallel_map(draw, range(len(images)), "drawing", jobs) if gone]


def _save(picture: Image.Image, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, quality=90)


def heatmap_path(out: Path, image: str) -> Path:
    """Return ``out/heatmaps/ID.png``: with the whole id, folders and extension, no two images share a file.

    A name too long for a file is cut, and a digest of the id keeps it apart from others.
    """
    return _path(out / HEATMAPS, image, ".png")


def small_path(out: Path, image: str) -> Path:
    """Return ``out/worklist/ID.jpg``, named as :func:`heatmap_path` names files."""
    return _path(out / PICTURES, image, ".jpg")


def _path(folder: Path, image: str, suffix: str) -> Path:
    path = folder / f"{image}{suffix}"
    name = os.fsencode(path.name)
    if len(name) <= NAME_BYTES:
        return path
    ending = f"~{hashlib.blake2b(os.fsencode(image), digest_size=6).hexdigest()}{suffix}"
    return path.with_name(name[: NAME_BYTES - len(ending)].decode(errors="ignore") + ending)
