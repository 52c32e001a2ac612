"""Finding images in folders and in overlapping inputs."""

from pathlib import Path

import pytest
from image_files import SaveImage

from medad.data import entries
from medad.data.finding import find_images
from medad.errors import UserError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_ids_are_relative_to_each_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "one/a/x.png", "two/y.png", "z.png")
    monkeypatch.chdir(tmp_path)
    found = find_images([Path("one"), tmp_path / "two", Path("z.png"), Path("missing.png")]).entries
    assert [entry.id for entry in found] == ["a/x.png", "y.png", "z.png", "missing.png"]
    names = ["one/a/x.png", "two/y.png", "z.png", "missing.png"]
    assert [entry.path for entry in found] == [tmp_path / name for name in names]
    assert {entry.label for entry in found} == {None}


def test_two_files_with_one_id(tmp_path: Path) -> None:
    touch(tmp_path, "one/x.png", "two/x.png")
    with pytest.raises(UserError, match=r"two files have the id x\.png .*one/x\.png and .*two/x\.png"):
        find_images([tmp_path / "one", tmp_path / "two"])
    assert [entry.id for entry in find_images([tmp_path]).entries] == ["one/x.png", "two/x.png"]


@pytest.mark.parametrize(
    ("inputs", "ids"),
    [
        (["test", "test/normal"], ["abnormal/x.png", "normal/x.png"]),
        (["test/normal", "test"], ["x.png", "abnormal/x.png"]),
        (["test", "test"], ["abnormal/x.png", "normal/x.png"]),
        (["test/normal/x.png", "test/../test/normal"], ["x.png"]),
    ],
)
def test_overlapping_inputs_name_an_image_once(tmp_path: Path, inputs: list[str], ids: list[str]) -> None:
    touch(tmp_path, "test/normal/x.png", "test/abnormal/x.png")
    found = find_images([tmp_path / name for name in inputs]).entries
    assert [entry.id for entry in found] == ids
    assert len({entry.path for entry in found}) == len(found)


def test_a_file_that_cannot_be_looked_at_is_an_entry_all_the_same(tmp_path: Path) -> None:
    name = "x" * 300 + ".png"  # longer than file systems allow; a folder without permission acts the same
    assert [entry.id for entry in find_images([tmp_path / name]).entries] == [name]


def test_nothing_found(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no files found"):
        find_images([tmp_path])


def test_text_in_folders_is_set_aside_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a/empty.png", "scan", ".hidden.txt")
    for name in ("a/LICENSE", "b.csv"):
        (tmp_path / name).write_text("some text\n")
    (tmp_path / "damaged.dcm").write_bytes(bytes(200))
    found = find_images([tmp_path])
    assert [entry.id for entry in found.entries] == ["a/empty.png", "damaged.dcm", "scan"]
    assert found.notes == (
        f"2 files without images (text, reports, indexes) are set aside, such as {tmp_path / 'a/LICENSE'}",
    )


def test_text_that_is_given_by_itself_is_told_with_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("some text\n")
    found = find_images([tmp_path / "b.csv"])
    assert [entry.id for entry in found.entries] == ["b.csv"] and found.notes == ()
    with pytest.raises(UserError, match="no files found but 1 without images"):
        find_images([tmp_path])


def test_files_whose_names_tell_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.PNG", "b.jpeg", "c.bmp", "d.tif", "e")
    opened = []
    monkeypatch.setattr(entries, "count_frames", lambda path: opened.append(path.name) or 1)
    assert len(find_images([tmp_path]).entries) == 5 and opened == ["d.tif", "e"]


def test_thumbnails_of_a_network_drive_are_no_images(tmp_path: Path, save: SaveImage) -> None:
    save("a.png")
    save("@eaDir/a.png/thumb.png")
    found = find_images([tmp_path])
    assert [entry.id for entry in found.entries] == ["a.png"] and "1 files in folders" in found.notes[0]
