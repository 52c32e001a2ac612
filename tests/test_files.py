"""Files are replaced whole or not at all."""

import pytest

from medad.files import remove, replacing


def test_the_new_file_takes_the_place_of_the_old(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with replacing(file) as partial:
        partial.write_text("new")
        assert file.read_text() == "old" and partial.parent == tmp_path
    assert file.read_text() == "new" and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_alone(fault, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(fault), replacing(file) as partial:
        partial.write_text("half")
        raise fault
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_a_failure_before_anything_is_written_shows_as_itself(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "nowhere" / "a.txt") as partial:
        partial.write_text("new")


def test_files_and_folders_are_removed_and_absence_is_fine(tmp_path):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name in ("folder", "file", "absent"):
        remove(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_link_goes_and_what_it_points_to_stays(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    remove(tmp_path / "link")
    assert [p.name for p in tmp_path.iterdir()] == ["elsewhere"]
    assert (tmp_path / "elsewhere" / "mine").exists()
