"""The phantom benchmark as a folder of files."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.data.phantom.benchmark import STREAMS, Phantoms
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.ownership import MARKER, claimed

LISTS = ("manifest.csv", "data.json")
PNG = re.compile(rf"(images|masks)/({'|'.join(STREAMS)})_[0-9]+\.png")


def write_phantoms(folder: Path, phantoms: Phantoms) -> None:
    """Write the benchmark as a folder that `medad run` reads.

    It holds the images and the masks of the abnormal ones as PNG files, and who is in which split twice:
    ``manifest.csv`` (with kinds and masks) and ``data.json`` (the form of DDAD-ASR).

    Parameters
    ----------
    folder : Path
        Made if missing; phantoms that were written there before are replaced.
    phantoms : Phantoms
        What `phantom_benchmark` returns.

    Raises
    ------
    UserError
        If the folder cannot be written, or holds other files of these names.
    """
    splits = (phantoms.normal, phantoms.unlabeled, phantoms.test)
    images = [name for split in splits for name in split.ids]
    names = [*LISTS, *images, *(_mask(name) for name in images)]
    try:
        with claimed(folder, "phantoms", names, clear=True, earlier=names if is_phantoms(folder) else ()):
            for name in ("images", "masks"):
                (folder / name).mkdir(exist_ok=True)
            repartition = Repartition(*(_write_images(folder, split) for split in splits))
            for name in LISTS:
                repartition.write(folder / name)
    except OSError as error:
        reason = f"cannot write phantom images ({error.strerror}); choose another folder"
        raise UserError(f"{folder}: {reason}") from error


def is_phantoms(folder: Path) -> bool:
    """Whether `folder` holds phantoms, going by the names of all images and masks in it, and nothing else."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name != MARKER}
    files = names - {"images", "masks"}
    return "data.json" in files and all(name in LISTS or PNG.fullmatch(name) for name in files)


def _mask(name: str) -> str:
    return name.replace("images/", "masks/")


def _write_images(folder: Path, images: ImageSet) -> tuple[Entry, ...]:
    """Write the images and masks of one split and return its entries."""
    assert images.labels is not None and images.masks is not None and images.kinds is not None
    known = zip(images.ids, images.pixels, images.labels, images.kinds, images.masks, strict=True)
    entries = []
    for name, pixels, label, kind, mask in known:
        mask_file = folder / _mask(name) if label else None
        _write_png(folder / name, pixels)
        if mask_file:
            _write_png(mask_file, mask[None] * np.uint8(255))
        entries.append(Entry(name, folder / name, int(label), kind, mask=mask_file))
    return tuple(entries)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(path)
