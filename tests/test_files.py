"""Files are replaced whole or not at all."""

import pytest

from medad.files import replacing


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
