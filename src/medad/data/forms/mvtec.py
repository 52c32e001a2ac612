"""The folders of MVTec AD, and of the many sets that are laid out like it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medad.data.entries import Entry, every_frame, list_files
from medad.data.forms.listed import Listed, look_for_strays, make_entry
from medad.data.forms.mask_names import match_masks
from medad.data.readers import is_image

NORMAL = ("good", "ok")  # the second one in BTAD
TRUTH = ("ground_truth", "groundtruth")  # in any case
IMAGES = "img"  # BMAD: the images of a type lie in this folder, their masks in one beside it
BESIDE = ("label", "anomaly_mask", "mask")


def is_mvtec(root: Path) -> bool:
    """Return whether a folder is laid out so."""
    return any((root / "train" / name).is_dir() for name in NORMAL)


def read_mvtec(root: Path) -> Listed:
    """Read ``train/good test/TYPE/NAME.* ground_truth/TYPE/NAME_mask.png``, or masks named in other ways.

    The kind of an image is its TYPE; the label is 0 for ``good`` and 1 for all others. Masks are
    those of files that hold one image. Where there are masks, abnormal images without one are noted,
    and so are masks without an image.

    Raises
    ------
    UserError
        If files lie in a folder that belongs to no split.
    """
    normal = next(name for name in NORMAL if (root / "train" / name).is_dir())
    truth = next((path for path in sorted(root.iterdir()) if path.name.lower() in TRUTH and path.is_dir()), None)
    kinds = sorted({name.split("/")[0] for name in list_files(root / "test") if "/" in name})
    found = [_test_images(root, kind, int(kind != normal), _masks_of(root, truth, kind)) for kind in kinds]
    train = [make_entry(root, f"train/{normal}/{name}", 0, normal) for name in list_files(root / "train" / normal)]
    splits = {"normal": train, "unlabeled": [], "test": [entry for entries, _ in found for entry in entries]}
    no_images = [f"{truth.name}/"] if truth else []
    no_images += [f"test/{kind}/{name}/" for kind in kinds for name in BESIDE]
    litter = look_for_strays(root, splits, f"train/{normal}/ or test/TYPE/", tuple(no_images))
    every = {split: every_frame(entries) for split, entries in splits.items()}
    unused = sorted(mask for _, masks in found for mask in masks)
    has_masks = truth is not None or unused or any(entry.mask for entry in splits["test"])
    return Listed(every, (*litter, *(_notes(root, every["test"], unused) if has_masks else ())))


def _test_images(root: Path, kind: str, label: int, masks: Mapping[str, Path]) -> tuple[list[Entry], list[Path]]:
    """Return the images of a type with their masks, and the masks that belong to none of them."""
    folder = root / "test" / kind
    own = set(masks.values())
    images = {name: name.removeprefix(f"{IMAGES}/") for name in list_files(folder) if folder / name not in own}
    matched = match_masks(images.values(), masks)
    entries = [
        make_entry(root, f"test/{kind}/{name}", label, kind, mask=masks.get(matched.get(plain, "")))
        for name, plain in images.items()
    ]
    return entries, [masks[name] for name in masks.keys() - set(matched.values())]


def _masks_of(root: Path, truth: Path | None, kind: str) -> dict[str, Path]:
    """Return the masks of a type by their names."""
    homes = [path for path in sorted(truth.iterdir()) if path.name.lower() == kind.lower()] if truth else []
    if (root / "test" / kind / IMAGES).is_dir():
        homes += [root / "test" / kind / name for name in BESIDE]
    files = {name: home / name for home in homes for name in list_files(home)}
    return {name: path for name, path in files.items() if is_image(path)}


def _notes(root: Path, test: Sequence[Entry], unused: Sequence[Path]) -> Iterator[str]:
    abnormal = [entry for entry in test if entry.label]
    lacking = [entry for entry in abnormal if entry.mask is None]
    if lacking:
        stem = lacking[0].path.stem
        few = f"masks were found for {len(abnormal) - len(lacking)} of {len(abnormal)} abnormal images"
        yield f"{few}, not for {lacking[0].id}: name them {stem}_mask.png or {stem}.png in the folder of their type"
    if unused:
        yield f"{len(unused)} masks belong to no test image (first: {unused[0].relative_to(root).as_posix()})"
