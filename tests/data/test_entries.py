"""Finding image files in folders, through links and in overlapping inputs."""

from pathlib import Path

import pytest

from medad.data.entries import find_images, list_files
from medad.errors import UserError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_are_listed_below_all_folders_and_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a/z.png", "a/b/c", "notes.txt", ".hidden", ".git/x.png", "a/Thumbs.db")
    assert list_files(tmp_path) == ["a/b/c", "a/z.png", "b.png", "notes.txt"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    touch(tmp_path, "outside/x.png", "data/y.png")
    (tmp_path / "data/loop").symlink_to(tmp_path / "data")
    (tmp_path / "data/link").symlink_to(tmp_path / "outside")
    assert list_files(tmp_path / "data") == ["link/x.png", "y.png"]


def test_loops_over_two_folders_end(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.png", "b/y.png")
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    assert list_files(tmp_path / "a") == ["b/y.png", "x.png"]


def test_two_links_to_one_folder_are_both_followed(tmp_path: Path) -> None:
    touch(tmp_path, "outside/x.png", "data/y.png")
    for name in ("one", "two"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "outside")
    assert list_files(tmp_path / "data") == ["one/x.png", "two/x.png", "y.png"]


def test_a_missing_folder_has_no_files(tmp_path: Path) -> None:
    assert list_files(tmp_path / "nowhere") == []


def test_ids_are_relative_to_each_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "one/a/x.png", "two/y.png", "z.png")
    monkeypatch.chdir(tmp_path)
    entries = find_images([Path("one"), tmp_path / "two", Path("z.png"), Path("missing.png")])
    assert [entry.id for entry in entries] == ["a/x.png", "y.png", "z.png", "missing.png"]
    names = ["one/a/x.png", "two/y.png", "z.png", "missing.png"]
    assert [entry.path for entry in entries] == [tmp_path / name for name in names]
    assert {entry.label for entry in entries} == {None}


def test_two_files_with_one_id(tmp_path: Path) -> None:
    touch(tmp_path, "one/x.png", "two/x.png")
    with pytest.raises(UserError, match=r"two files have the id x\.png .*one/x\.png and .*two/x\.png"):
        find_images([tmp_path / "one", tmp_path / "two"])
    assert [entry.id for entry in find_images([tmp_path])] == ["one/x.png", "two/x.png"]


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
    entries = find_images([tmp_path / name for name in inputs])
    assert [entry.id for entry in entries] == ids
    assert len({entry.path for entry in entries}) == len(entries)


def test_a_file_that_cannot_be_looked_at_is_an_entry_all_the_same(tmp_path: Path) -> None:
    name = "x" * 300 + ".png"  # longer than file systems allow; a folder without permission acts the same
    assert [entry.id for entry in find_images([tmp_path / name])] == [name]


def test_nothing_found(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no files found"):
        find_images([tmp_path])
