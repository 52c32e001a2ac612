"""The tables of docs/dicom.md are those that reading prints today."""

from pathlib import Path

from medad.data.readers.dicom_file import INFLATED
from medad.data.readers.pillow import MAX_PIXELS
from medad.experiments.pages.dicom import MARKS, tables

PAGE = Path(__file__).parents[3] / "docs" / "dicom.md"


def test_the_page_is_up_to_date() -> None:
    printed = PAGE.read_text(encoding="utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    assert tables() == printed.strip("\n"), "print it anew: medad results dicom"


def test_the_limits_are_those_of_the_reader() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"{MAX_PIXELS:,} pixels" in text and f"{INFLATED >> 20} MiB" in text
