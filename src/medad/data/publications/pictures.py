"""Data sets that are published as pictures."""

from collections.abc import Iterator
from pathlib import Path

from medad.data.publications.found import NORMAL, TEST, Found, files_in, read_table


def brain_tumor(source: Path) -> Iterator[Found]:
    """Folders ``notumor``, ``glioma`` and ``meningioma`` in ``Training`` and ``Testing``; pituitary is not used."""
    for kind, name in (("", "notumor"), ("glioma", "glioma"), ("meningioma", "meningioma")):
        for part in ("Training", "Testing"):
            yield from (Found(path, kind) for path in files_in(source / part / name))


def lag(source: Path) -> Iterator[Found]:
    """Folders ``non_glaucoma`` and ``suspicious_glaucoma``, in one or several parts; attention maps are passed over."""
    kinds = {"non_glaucoma": "", "suspicious_glaucoma": "glaucoma"}
    for path in files_in(source):
        folders = [part.lower() for part in path.relative_to(source).parent.parts]
        label = next((name for name in folders if name in kinds), None)
        if label is not None and "attention_map" not in folders:
            yield Found(path, kinds[label])


def isic2018(source: Path) -> Iterator[Found]:
    """Training images of the class NV are normal; of the other classes only test images are used."""
    for part, split in (("Training", NORMAL), ("Test", TEST)):
        folder, table = (source / f"ISIC2018_Task3_{part}_{what}" for what in ("Input", "GroundTruth"))
        for row in read_table(table / f"{table.name}.csv", ("image",), "unpack the ground truth there"):
            kind = next((name for name, value in row.items() if value in ("1", "1.0")), "")
            if kind == "NV" or split == TEST:
                yield Found(folder / f"{row['image']}.jpg", "" if kind == "NV" else kind, split)


def camelyon16(source: Path) -> Iterator[Found]:
    """Folders ``train/good``, ``test/good`` and ``test/Ungood``."""
    for folder, kind, split in (("train/good", "", NORMAL), ("test/good", "", TEST), ("test/Ungood", "tumour", TEST)):
        yield from (Found(path, kind, split) for path in files_in(source / folder))


def brats2021(source: Path) -> Iterator[Found]:
    """Folders ``train``, ``test/normal``, ``test/tumor`` and its masks, named ``seg`` for ``flair``, in their own."""
    for folder, split in (("train", NORMAL), ("test/normal", TEST)):
        yield from (Found(path, "", split) for path in files_in(source / folder))
    for path in files_in(source / "test" / "tumor"):
        below = path.relative_to(source / "test" / "tumor").as_posix().replace("flair", "seg")
        yield Found(path, "tumour", TEST, mask=source / "test" / "annotation" / below)
