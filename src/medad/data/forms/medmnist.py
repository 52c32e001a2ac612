"""A data set in one ``.npz`` file, in MedMNIST's layout: who is normal, unlabeled and test.

The arrays are ``train_images``, ``val_images`` and ``test_images`` with ``train_labels``, ``val_labels`` and
``test_labels`` (Yang et al., MedMNIST v2, Scientific Data 2023); those of ``val`` may be missing.
"""

from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.forms.listed import Listed
from medad.data.readers import UnreadableImage
from medad.data.readers.npz import image_members, read_array, read_members
from medad.errors import UserError

HEALTHY = {"breastmnist": 1, "octmnist": 3, "dermamnist": 5}  # the normal class where it is not 0; nevi in the last
PARTS = ("train", "val", "test")


def read_medmnist(file: Path, root: Path) -> Listed:
    """Deal out the images of a file by its labels.

    Normal training images are the split normal, the other ones and all of ``val`` are the unlabeled pool: it needs
    normal images, too. An image with several labels (N, L) is normal if it has none of them.

    Parameters
    ----------
    file, root : Path
        The file, and the root of the data set, to which ids are relative.

    Returns
    -------
    Listed
        The kind of an abnormal image is its class; a note tells which class is taken for normal.

    Raises
    ------
    UserError
        If the file is not of that layout.
    """
    try:
        offsets, labels = _read(file)
    except (UnreadableImage, OSError, ValueError) as error:
        reason = error.reason if isinstance(error, UnreadableImage) else str(error)
        raise UserError(f"{file}: not a data set in MedMNIST's layout ({reason})") from None
    normal = HEALTHY.get(file.stem.split("_")[0].lower(), 0)
    splits: dict[str, list[Entry]] = {"normal": [], "unlabeled": [], "test": []}
    for part in labels:
        for i, kind in enumerate(_kinds(labels[part], normal)):
            split = part if part == "test" else "unlabeled" if part == "val" or kind else "normal"
            frame = offsets[part] + i + 1
            id = f"{file.relative_to(root).as_posix()}#{frame}"
            splits[split].append(Entry(id, file, int(bool(kind)), kind, frame=frame))
    aside = "; val_images join the unlabeled pool" if "val" in labels else ""
    note = f"{file.name}: class {normal} is taken for normal, every other one for abnormal{aside}"
    return Listed(splits, (note,))


def _read(file: Path) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """Return how many images stand before those of each part, and the labels of each part."""
    images, members = image_members(file), {member.name: member for member in read_members(file)}
    offsets, before = {}, 0
    for member in images:
        offsets[member.name.removesuffix("_images")] = before
        before += member.images
    counts = {member.name.removesuffix("_images"): member.images for member in images}
    parts = [part for part in PARTS if part in offsets]
    lacking = {"train", "test"}.difference(parts) or {f"{part}_labels" for part in parts}.difference(members)
    if lacking:
        raise ValueError(f"it lacks {', '.join(sorted(lacking))}")
    labels = {part: read_array(file, members[f"{part}_labels"]) for part in parts}
    for part in parts:
        if labels[part].ndim not in (1, 2) or len(labels[part]) != counts[part] or labels[part].dtype.kind not in "biu":
            raise ValueError(f"{part}_labels are not one whole number for each image")
    return offsets, labels


def _kinds(labels: np.ndarray, normal: int) -> list[str]:
    """Return ``""`` for normal images and the name of the class, or of all classes, for others."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return [" and ".join(f"class {k}" for k in np.flatnonzero(row)) for row in labels]
    return ["" if label == normal else f"class {label}" for label in labels.reshape(-1).tolist()]
