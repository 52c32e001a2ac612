"""Files are replaced whole or not at all."""

import errno
import os

import pytest

from medad.errors import UserError
from medad.files import check_locks, locked, open_plain, replacing


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


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_lock_is_told(code, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    check_locks(tmp_path)
    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(UserError, match="cannot lock files .*; choose another `out`"), locked(tmp_path / "lock"):
        pass
    with pytest.raises(UserError, match=f"{tmp_path}: its file system"):
        check_locks(tmp_path)


def test_only_files_are_opened(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with open_plain(tmp_path / "link") as file:
        assert file.read() == b"abc"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(OSError, match="a pipe, a device or a socket, not a file"):
            open_plain(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        open_plain(tmp_path)
