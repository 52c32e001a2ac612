"""Listing the files in folders, through links."""

from pathlib import Path

from medad.data.entries import list_files, list_folder


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_are_listed_below_all_folders_and_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a/z.png", "a/b/c", "notes.txt", ".hidden", ".git/x.png", "a/Thumbs.db")
    assert list_files(tmp_path) == ["a/b/c", "a/z.png", "b.png", "notes.txt"]


def test_what_systems_keep_for_themselves_is_passed_over_and_counted(tmp_path: Path) -> None:
    kept = ["@eaDir/a.png/x.jpg", "b/@__thumb/y.jpg", "$RECYCLE.BIN/z.png", "__MACOSX/b/._c.png", "#recycle/d.png"]
    kept += ["System Volume Information/e", "lost+found/f", "b/@EADIR/g"]
    touch(tmp_path, "a.png", "b/c.png", ".Trashes/501/h.png", "eaDir/i.png", *kept)
    listing = list_folder(tmp_path)
    assert listing.names == ["a.png", "b/c.png", "eaDir/i.png"]
    assert listing.litter == sorted(kept) and "8 files in folders" in listing.notes[0]
    assert list_folder(tmp_path / "eaDir").notes == ()


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
