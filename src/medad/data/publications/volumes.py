"""Volumes of the brain in NIfTI: BraTS2021 and MOOD, in axial slices."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medad.data.intensity import DEFAULT, Intensity
from medad.data.parallel import parallel_map
from medad.data.publications.found import IMAGES, MASKS, NORMAL, TEST, UNLABELED, Found, files_in
from medad.data.slicing import geometry_of, read_segmentation, read_slice, write_picture
from medad.errors import UserError

VOLUMES = (".nii.gz", ".nii"), "NIfTI volumes"
MIDDLE, EVERY = 70, 5  # of BraTS's 155 axial slices the middle ones, each fifth of them
PARTS = (NORMAL, NORMAL, NORMAL, UNLABELED, TEST)  # of each five patients in the order of their names
MOOD_TRAIN, MOOD_TEST = range(121, 141), range(129, 130)  # slices 120 to 139, and 128, counted from 0
MOOD_SHARE = 0.6  # of the volumes, in the order of their names, for training


def brats_volumes(source: Path) -> Iterator[Found]:
    """Slices of the FLAIR volumes; a slice without any of the tumour's voxels is normal.

    Of training patients only these are normal images; the unlabeled pool and the test have both kinds.
    """
    volumes = [path for path in files_in(source, *VOLUMES) if "flair" in path.name.lower()]
    if not volumes:
        raise UserError(f"{source}: no volumes named flair below it: give the folder of BraTS2021's training data")
    slices = parallel_map(_brats_slices, volumes, "looking for tumours")
    for number, found in enumerate(slices):
        part = PARTS[number % len(PARTS)]
        for volume, frame, mask in found:
            if mask is None or part != NORMAL:
                patient = volume.name.split("_flair")[0]
                name = f"{patient}_flair_{frame:03}.png"
                yield Found(volume, "" if mask is None else "tumour", part, name, patient, mask=mask, frame=frame)


def _brats_slices(volume: Path) -> list[tuple[Path, int, Path | None]]:
    """Return the slices of a volume that are used, with the segmentation of those that show a tumour."""
    mask = volume.with_name(volume.name.replace("flair", "seg"))
    if not mask.is_file():
        raise UserError(f"{mask}: no such file; the segmentations of the training data must lie beside the volumes")
    count = geometry_of(volume, "axial").slices
    first = max((count - MIDDLE) // 2, 0) + 1
    frames = range(first, min(first + MIDDLE, count + 1), EVERY)
    return [(volume, n, mask if read_segmentation(mask, n, "axial", volume).any() else None) for n in frames]


def mood(source: Path) -> Iterator[Found]:
    """Slices of the brain volumes of MOOD, all normal, as in Meissen et al., MIDL 2022."""
    folder = source / "brain_train" if (source / "brain_train").is_dir() else source
    volumes = [path for path in files_in(folder, *VOLUMES) if path.parent == folder]
    for number, volume in enumerate(volumes):
        train = number < round(MOOD_SHARE * len(volumes))
        if geometry_of(volume, "axial").slices < MOOD_TRAIN.stop:
            raise UserError(f"{volume}: fewer than 256 axial slices; give the brain volumes of MOOD as published")
        bare = volume.name.split(".")[0]
        for frame in MOOD_TRAIN if train else MOOD_TEST:
            yield Found(volume, "", NORMAL if train else TEST, f"{bare}_{frame:03}.png", bare, frame=frame)


def cut_brats(image: Found, out: Path) -> None:
    """Write a slice in 16 bits, from the 0.1 to the 99.9 percentile of its volume, and its mask."""
    _cut(image, out, Intensity.parse(DEFAULT))


def cut_mood(image: Found, out: Path) -> None:
    """Write a slice in 16 bits; MOOD's values go from 0 to 1."""
    _cut(image, out, Intensity("window", 0.0, 1.0))


def _cut(image: Found, out: Path, intensity: Intensity) -> None:
    frame = image.frame or 1
    write_picture(read_slice(image.path, frame, "axial", intensity), out / IMAGES / image.file)
    if image.mask is not None:
        inside = read_segmentation(image.mask, frame, "axial", image.path)
        write_picture(inside.astype(np.uint8) * np.uint8(255), out / MASKS / image.file)
