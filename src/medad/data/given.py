"""Images as a script has them at hand, files or arrays, as image sets."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.finding import Found, find_images
from medad.data.imageset import ImageSet
from medad.data.intensity import DEFAULT
from medad.data.loading import load_or_fail
from medad.data.preprocessing import Preprocessing
from medad.errors import UserError

File = str | Path
Images = ImageSet | np.ndarray | Sequence[File]

ARRAYS = "uint8 or uint16, (n, H, W) or (n, C, H, W)"


def read_images(
    source: File | Sequence[File | Entry],
    size: int = 64,
    channels: int = 1,
    jobs: int | None = None,
    fit: str = "stretch",
    intensity: str = DEFAULT,
) -> ImageSet:
    """Read image files, from the cache where they were decoded before; what was noticed is warned of.

    Parameters
    ----------
    source : path, or sequence of paths or Entry
        A file, a folder that is searched with all folders below it, several of them, or a split of a
        :class:`medad.data.repartition.Repartition`, whose labels, masks, patients and kinds are taken over.
    size, channels : int
        Side in pixels to which images are resized; 1 reads them as grey, 3 as RGB.
    jobs : int, optional
        Number of threads; None takes one per core.
    fit : {'stretch', 'pad', 'crop'}
        What becomes of images that are not square, see :class:`medad.data.preprocessing.Preprocessing`.
    intensity : str
        Which value becomes black and which white, see :class:`medad.data.intensity.Intensity`.

    Raises
    ------
    UserError
        If a folder holds no files or one cannot be read.
    """
    several = [source] if isinstance(source, File) else list(source)
    files = [Path(one) for one in several if isinstance(one, File)]
    entries = [one for one in several if isinstance(one, Entry)]
    found = find_images(files) if files else Found(())
    loaded = load_or_fail([*entries, *found.entries], Preprocessing(size, channels, fit, intensity), "images", jobs)
    for note in (*found.notes, *loaded.notes):
        warnings.warn(note, stacklevel=2)
    return loaded.images


def as_images(given: Images, preprocessing: Preprocessing, jobs: int | None = None) -> ImageSet:
    """Return the image set that `given` is or stands for.

    Parameters
    ----------
    given : ImageSet, array or sequence of paths
        Arrays are ``uint8`` or ``uint16``, (n, H, W) or (n, C, H, W); their ids are ``"0"``, ``"1"``, ...
    preprocessing : Preprocessing
        Its size and channels are what image sets and arrays must have; files are read so, see :func:`read_images`.
    jobs : int, optional
        Number of threads that read files.

    Raises
    ------
    UserError
        For anything else: tells what is expected.
    """
    images = _as_set(given, preprocessing, jobs)
    expected = (preprocessing.channels, preprocessing.size, preprocessing.size)
    if images.pixels.shape[1:] != expected:
        raise UserError(
            f"images are {images.pixels.shape[1:]} (channels, height, width), the detector expects {expected}"
        )
    return images


def _as_set(given: Images, preprocessing: Preprocessing, jobs: int | None) -> ImageSet:
    if isinstance(given, ImageSet):
        return given
    if isinstance(given, np.ndarray):
        return _from_array(given)
    if isinstance(given, Sequence) and not isinstance(given, str) and all(isinstance(one, File) for one in given):
        how = preprocessing
        return read_images(given, how.size, how.channels, jobs, how.fit, how.intensity)
    doors = f"an array ({ARRAYS}), a list of files, or what medad.read_images returns"
    raise UserError(f"images cannot be made of {type(given).__name__}: give {doors}")


def _from_array(pixels: np.ndarray) -> ImageSet:
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (3, 4):
        scaled = ", e.g. (255 * x).round().astype(np.uint8) of values from 0 to 1" if pixels.dtype.kind == "f" else ""
        raise UserError(f"an array of {pixels.dtype}, {pixels.shape}: give {ARRAYS}{scaled}")
    planes = pixels if pixels.ndim == 4 else pixels[:, None]
    return ImageSet(planes, tuple(map(str, range(len(planes)))), ("",) * len(planes))
