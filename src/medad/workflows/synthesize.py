"""``medad synthesize``: a sheet of the anomalies that a method would learn from, made in the images at hand."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Entry
from medad.errors import UserError, check_choice
from medad.reports.synthesis_sheet import SynthesisSheet, is_sheet, write_synthesis
from medad.synthesis.contract import Made
from medad.synthesis.registry import SYNTHESES, make_synthesis
from medad.synthesis.sources import other_indices
from medad.training.pixels import to_unit
from medad.training.seeds import derive_seed
from medad.workflows.notes import say
from medad.workflows.options import at_least
from medad.workflows.splits import load, read_repartition

LEAST_SIZE = 8


def synthesize(
    method: str, data: Path, out: Path, *, size: int = 128, count: int = 16, seed: int = 0, split: Path | None = None
) -> Path:
    """Make anomalies in normal images and draw them: before, after, and what a network learns to say of each pixel.

    Parameters
    ----------
    method : str
        A key of :data:`medad.synthesis.registry.SYNTHESES`.
    data : Path
        Folder of the data set, or its split file; only its normal images are looked at.
    out : Path
        The PNG to write; it replaces only one that it wrote before.
    size : int
        Side in pixels to which images are resized, at least 8.
    count : int
        Number of images, all if there are fewer.
    seed : int
        Chooses the images, and all that is random in them.
    split : Path, optional
        Split file to use instead of the folder's own.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    UserError
        If the data, an option or the file do not allow it, or the method needs a second image and there is one alone.
    """
    check_choice("method", method, SYNTHESES)
    for name, value, least in (("size", size, LEAST_SIZE), ("count", count, 1), ("seed", seed, 0)):
        at_least(name, value, least)
    if os.path.lexists(out) and not is_sheet(out):
        raise UserError(f"{out}: is there, and no sheet of medad synthesize; choose another `out`")
    normal = [replace(entry, mask=None, kind="") for entry in read_repartition(data, split).normal]
    needed = 2 if SYNTHESES[method].foreign else 1
    if len(normal) < needed:
        images = "two normal images: one is changed, the other gives the patch" if needed == 2 else "normal images"
        raise UserError(f"{split or data}: {method} needs {images}; list more in the split normal")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "synthesize"))
        given, made = _make(method, normal, size, count)
    clean = int((made.labels.amax((1, 2)) == 0).sum())
    info = SYNTHESES[method]
    heading = f"{method}: {info.about}; label {info.labels[0]}; {clean} of {len(given)} images stayed clean"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_synthesis(out, SynthesisSheet(heading, _shown(given), _shown(made.images), made.labels.numpy()))
    say(f"{clean} of {len(given)} images stayed clean; the sheet is {out}")
    return out


def _make(method: str, normal: list[Entry], size: int, count: int) -> tuple[Tensor, Made]:
    """Draw images, and others as their sources where these are needed, and make anomalies in them."""
    chosen = torch.randperm(len(normal))[:count]
    sources = other_indices(chosen, len(normal)) if SYNTHESES[method].foreign else chosen
    rows, place = torch.cat([chosen, sources]).unique(return_inverse=True)
    pixels = load([normal[i] for i in rows], Preprocessing(size), "normal images", None).pixels
    images, foreign = to_unit(pixels, torch.device("cpu"))[place].split(len(chosen))
    return images, make_synthesis(method)(images, foreign)


def _shown(images: Tensor) -> np.ndarray:
    """Return (n, 1, H, W) in [-1, 1] as (n, H, W) in [0, 1]."""
    return (images[:, 0].numpy() + 1) / 2
