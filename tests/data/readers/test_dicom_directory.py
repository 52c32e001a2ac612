"""A DICOMDIR stands for the files that it lists, inside of its own folder."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import DIRECTORY, dataset, item, write
from pydicom import Dataset

from medad.data.finding import find_images
from medad.data.readers import count_frames, decode, is_image
from medad.data.readers.dicom_directory import is_directory_index, listed_files
from medad.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")  # as they are written

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"


def index(folder: Path, *names: object, name: str = "DICOMDIR") -> Path:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = DIRECTORY, "1.2.3"
    files = [item(DirectoryRecordType="IMAGE", ReferencedFileID=name) for name in names]
    ds.DirectoryRecordSequence = [item(DirectoryRecordType="PATIENT", PatientID="7"), *files]
    return write(folder / name, ds)


def scan(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write(path, dataset(np.arange(16, dtype=np.uint8).reshape(4, 4)))


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-reordered"])
def test_the_files_of_pydicoms_directories(name: str) -> None:
    listed = listed_files(SHIPPED / name)
    shipped = {file.relative_to(SHIPPED).as_posix() for file in SHIPPED.glob("*/*/*") if "TINY" not in str(file)}
    assert len(listed) == len(set(listed)) == 31 and set(listed) == shipped


def test_a_directory_that_is_given_means_its_images(tmp_path: Path) -> None:
    scan(tmp_path / "A" / "1"), scan(tmp_path / "A" / "2"), scan(tmp_path / "B" / "1"), scan(tmp_path / "unlisted")
    path = index(tmp_path, ["A", "1"], ["B", "1"], ["A", "1"], ["A", "9"])
    found = find_images([path])
    assert [entry.id for entry in found.entries] == ["A/1", "B/1", "A/9"] and found.notes == ()
    assert [entry.path for entry in found.entries] == [tmp_path / name for name in ("A/1", "B/1", "A/9")]


def test_a_directory_in_a_folder_is_set_aside(tmp_path: Path) -> None:
    scan(tmp_path / "A" / "1")
    path = index(tmp_path, ["A", "1"])
    found = find_images([tmp_path])
    assert [entry.id for entry in found.entries] == ["A/1"]
    assert found.notes == (f"1 files without images (text, reports, indexes) are set aside, such as {path}",)
    assert count_frames(path) == 0 and not is_image(path) and is_image(tmp_path / "A" / "1")


def test_capitals_are_found_where_the_drive_shows_small_letters(tmp_path: Path) -> None:
    scan(tmp_path / "pt1" / "im1.dcm")
    assert listed_files(index(tmp_path, ["PT1", "IM1.DCM"], "SINGLE", name="dicomdir")) == ["pt1/im1.dcm", "SINGLE"]


OUTSIDE = [["..", "secret"], ["A", "..", "..", "secret"], "/etc/passwd", ["", "etc", "passwd"], ["A/../../secret"]]
OUTSIDE += [["C:", "secret"], ["A\\..\\secret"], "..", ["."]]


@pytest.mark.parametrize("name", OUTSIDE, ids=str)
def test_what_leads_out_of_the_folder_is_refused(tmp_path: Path, name: object) -> None:
    scan(tmp_path / "secret")
    (tmp_path / "cd").mkdir()
    with pytest.raises(UserError, match="which lies outside of its folder: give the folder instead"):
        find_images([index(tmp_path / "cd", name)])


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    scan(tmp_path / "secret")
    (tmp_path / "cd").mkdir()
    (tmp_path / "cd" / "LINK").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError, match="'LINK', which lies outside"):
        listed_files(index(tmp_path / "cd", "LINK"))


def test_damaged_and_empty_directories(tmp_path: Path) -> None:
    assert listed_files(index(tmp_path)) == []
    with pytest.raises(UserError, match="no files found"):
        find_images([tmp_path / "DICOMDIR"])
    content = (tmp_path / "DICOMDIR").read_bytes()
    (tmp_path / "DICOMDIR").write_bytes(
        content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0") + b"\xff" * 9
    )
    listed_or_refused(tmp_path / "DICOMDIR")
    (tmp_path / "DICOMDIR").write_bytes(content[:-20])
    listed_or_refused(tmp_path / "DICOMDIR")


def listed_or_refused(path: Path) -> None:
    try:
        assert listed_files(path) == []
    except UserError as error:
        assert str(error).startswith(str(path))


def test_other_files_of_that_name_are_none(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR.txt").write_text("how to read this CD\n")
    assert not is_directory_index(tmp_path / "DICOMDIR.txt") and not is_directory_index(tmp_path / "DICOMDIR")
    image = scan(tmp_path / "DICOMDIR.dcm")
    assert [entry.path for entry in find_images([image]).entries] == [image] and decode(image).pixels.shape == (4, 4)
