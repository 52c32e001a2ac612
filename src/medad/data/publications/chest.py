"""Radiographs of the chest in DICOM: RSNA and VinDr-CXR, made pictures as the authors of DDAD-ASR made theirs."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from medad.data.intensity import PUBLISHED, Intensity
from medad.data.publications.found import IMAGES, Found, read_table
from medad.data.readers import decode
from medad.errors import UserError

SIZE = 512  # pixels
FINDING = "finding"  # what images with any of VinDr's 14 are counted as
VINDR_TABLES = ("train.csv", "annotations/annotations_train.csv", "annotations_train.csv")
VINDR_SUFFIXES = (".dicom", ".dcm")


def rsna(source: Path) -> Iterator[Found]:
    """Classes Normal and Lung Opacity of the training images; No Lung Opacity / Not Normal is left out."""
    table = source / "stage_2_detailed_class_info.csv"
    rows = read_table(table, ("patientId", "class"), "unpack the competition's files there")
    kinds = {"Normal": "", "Lung Opacity": "lung opacity"}
    for id, kind in {row["patientId"]: row["class"] for row in rows}.items():  # a row for each box
        if kind in kinds:
            yield Found(source / "stage_2_train_images" / f"{id}.dcm", kinds[kind], name=f"{id}.png")


def vindr(source: Path) -> Iterator[Found]:
    """Take an image for abnormal where any of its three readers marked a finding.

    So the published counts come out: in this set the readers agree on which images show nothing.
    """
    table = next((source / name for name in VINDR_TABLES if (source / name).is_file()), source / VINDR_TABLES[0])
    findings: dict[str, set[str]] = {}
    for row in read_table(table, ("image_id", "class_name"), "unpack the competition's files there"):
        findings.setdefault(row["image_id"], set()).update({row["class_name"]} - {"No finding"})
    for id, names in findings.items():
        files = [source / "train" / f"{id}{suffix}" for suffix in VINDR_SUFFIXES]
        path = next((file for file in files if file.is_file()), files[0])
        yield Found(path, FINDING if names else "", name=f"{id}.png", findings=" and ".join(sorted(names)))


def convert_radiograph(image: Found, out: Path) -> None:
    """Write a radiograph as it was published: values from lowest to highest in 8 bits, truncated, 512 x 512.

    MONOCHROME1 is inverted, no window is applied, the aspect ratio is not kept.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    levels, _ = Intensity.parse(PUBLISHED)(decode(image.path))
    if levels.dtype != "uint8":
        raise UserError(f"{image.path}: not a DICOM file; give the data set as published")
    picture = Image.fromarray(levels).convert("L").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    picture.save(out / IMAGES / image.file)
