"""Heat maps of many images as files."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from medad.data.parallel import parallel_map
from medad.data.readers import read_image
from medad.evaluation.scores import ScoreTable
from medad.reports.overlay import contact_sheet, overlay
from medad.workflows.notes import say


def stored_maps(store: IO[bytes], size: int) -> np.ndarray:
    """Map the ``float32`` maps in a file: (n, size, size); n is 0 for a method without maps."""
    store.flush()
    length = os.fstat(store.fileno()).st_size // (4 * size * size)
    shape = (length, size, size)
    return np.memmap(store, np.float32, "r", shape=shape) if length else np.empty(shape, np.float32)


def draw_heatmaps(
    table: ScoreTable,
    paths: Sequence[str],
    maps: np.ndarray,
    scale: Sequence[float],
    out: Path,
    jobs: int | None,
) -> None:
    """Write ``heatmaps/ID.png`` of every image at its native size, and ``contact_sheet.png``.

    The whole id, with folders and extension, is in the name: no two images share a file.

    Parameters
    ----------
    table : ScoreTable
        Ids and scores of n images.
    paths : sequence of str
        Their files.
    maps : ndarray
        Their anomaly maps, (n, S, S).
    scale : sequence of float
        Map values of no and of full colour, see :func:`medad.workflows.scale.normal_scale`.
    out : Path
        Where they go.
    jobs : int, optional
        Number of threads; all cores by default.
    """
    low, high = scale
    files = [out / "heatmaps" / f"{name}.png" for name in table.image_path]

    def draw(i: int) -> None:
        files[i].parent.mkdir(parents=True, exist_ok=True)
        overlay(read_image(Path(paths[i])), maps[i], low, high).save(files[i])

    for _ in parallel_map(draw, range(len(files)), "drawing heat maps", jobs):
        pass
    sheet = contact_sheet(_pictures(files), table.columns["pred_score"], out / "contact_sheet.png")
    say(f"heat maps: {sheet} shows the most abnormal, {out / 'heatmaps'} holds all")


def _pictures(files: Sequence[Path]) -> Iterator[Image.Image]:
    for file in files:
        with Image.open(file) as picture:
            yield picture
