"""Data sets as they are published: where their images lie, what is known of each, and the published counts."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medad.data.entries import list_files
from medad.errors import UserError

NORMAL, UNLABELED, TEST = "normal", "unlabeled", "test"
SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Found:
    """A published image: its file, kind (``""`` for normal), and split where the publisher fixed it."""

    path: Path
    kind: str = ""
    split: str = ""


@dataclass(frozen=True)
class Publication:
    """A data set that somebody published.

    Attributes
    ----------
    find : callable
        Source folder -> its images.
    counts : mapping
        Images by split and kind in the published benchmark.
    source, layout : str
        Where the images come from, and whose split it is.
    fixed : bool
        Whether the publisher says which images are for training and which for testing.
    """

    find: Callable[[Path], Iterator[Found]]
    counts: Mapping[str, Mapping[str, int]]
    source: str
    layout: str = "Cai et al., Medical Image Analysis 2023 (DDAD-ASR)"
    fixed: bool = False


def _images(folder: Path) -> list[Path]:
    """Return the images in `folder` and below it, sorted.

    Raises
    ------
    UserError
        If there are none.
    """
    found = [folder / name for name in list_files(folder) if name.lower().endswith(SUFFIXES)]
    if not found:
        raise UserError(f"{folder}: no images here: give the folder that holds the data set as published")
    return found


def _brain_tumor(source: Path) -> Iterator[Found]:
    for kind, name in (("", "notumor"), ("glioma", "glioma"), ("meningioma", "meningioma")):
        for part in ("Training", "Testing"):
            yield from (Found(path, kind) for path in _images(source / part / name))


def _lag(source: Path) -> Iterator[Found]:
    """Folders ``non_glaucoma`` and ``suspicious_glaucoma``, in one or several parts; attention maps are passed over."""
    kinds = {"non_glaucoma": "", "suspicious_glaucoma": "glaucoma"}
    for path in _images(source):
        folders = [part.lower() for part in path.relative_to(source).parent.parts]
        label = next((name for name in folders if name in kinds), None)
        if label is not None and "attention_map" not in folders:
            yield Found(path, kinds[label])


def _isic2018(source: Path) -> Iterator[Found]:
    """Training images of the class NV are normal; of the other classes only test images are used."""
    for part, split in (("Training", NORMAL), ("Test", TEST)):
        folder, table = (source / f"ISIC2018_Task3_{part}_{what}" for what in ("Input", "GroundTruth"))
        file = table / f"{table.name}.csv"
        try:
            rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{file}: cannot be read ({error}); unpack the ground truth there") from error
        if rows and "image" not in rows[0]:
            raise UserError(f"{file}: has no column image; unpack the ground truth there as it is published")
        for row in rows:
            kind = next((name for name, value in row.items() if value in ("1", "1.0")), "")
            if kind == "NV" or split == TEST:
                yield Found(folder / f"{row['image']}.jpg", "" if kind == "NV" else kind, split)


def _camelyon16(source: Path) -> Iterator[Found]:
    for folder, kind, split in (("train/good", "", NORMAL), ("test/good", "", TEST), ("test/Ungood", "tumour", TEST)):
        yield from (Found(path, kind, split) for path in _images(source / folder))


_MEDIANOMALY = "Cai et al., MedIAnomaly, 2024"
PUBLICATIONS = {
    "brain_tumor": Publication(
        _brain_tumor,
        {
            NORMAL: {"": 1000},
            UNLABELED: {"": 400, "glioma": 300, "meningioma": 300},
            TEST: {"": 600, "glioma": 300, "meningioma": 300},
        },
        "M. Nickparvar, Brain Tumor MRI Dataset, Kaggle (folders Training and Testing)",
    ),
    "lag": Publication(
        _lag,
        {NORMAL: {"": 1500}, UNLABELED: {"": 832, "glaucoma": 900}, TEST: {"": 811, "glaucoma": 811}},
        "Li et al., LAG database, CVPR 2019 and IEEE TMI 2020 (folders non_glaucoma and suspicious_glaucoma)",
    ),
    "isic2018": Publication(
        _isic2018,
        {NORMAL: {"": 6705}, TEST: {"": 909, "MEL": 171, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35}},
        "Codella et al., ISIC 2018 challenge, task 3; Tschandl et al., Scientific Data 2018",
        _MEDIANOMALY,
        fixed=True,
    ),
    "camelyon16": Publication(
        _camelyon16,
        {NORMAL: {"": 5088}, TEST: {"": 1120, "tumour": 1113}},
        "Ehteshami Bejnordi et al., JAMA 2017, in patches as MedIAnomaly publishes them (train/good, test/good, "
        "test/Ungood)",
        _MEDIANOMALY,
        fixed=True,
    ),
}
LATER = {"rsna": "DICOM", "vindr": "DICOM", "brats2021": "NIfTI"}


def publication(name: str) -> Publication:
    """Return what is known of a published data set.

    Raises
    ------
    UserError
        If it is not known, or not yet.
    """
    if name in LATER:
        raise UserError(f"{name}: follows with the {LATER[name]} reader; ready now: {', '.join(PUBLICATIONS)}")
    if name not in PUBLICATIONS:
        raise UserError(f"{name}: no such data set; ready now: {', '.join(PUBLICATIONS)}")
    return PUBLICATIONS[name]
