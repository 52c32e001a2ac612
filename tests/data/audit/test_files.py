"""Files with faults, and files that are there twice."""

from medad.data.audit import files
from medad.data.audit.files import same_bytes


def test_the_same_bytes_are_found_and_only_files_of_one_size_are_read(tmp_path, monkeypatch):
    contents = {"a": b"one", "b": b"two", "c": b"one", "d": b"three", "e": b"", "f": b"", "g": b"two"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    read = []
    monkeypatch.setattr(files, "digest", lambda path: read.append(path.name) or path.read_bytes().hex())
    paths = [tmp_path / name for name in contents]
    assert same_bytes(paths, 1) == [[0, 2], [1, 6]]
    assert sorted(read) == ["a", "b", "c", "g"]


def test_frames_of_one_file_are_no_copies_of_each_other(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(b"frames")
    a, b = tmp_path / "a", tmp_path / "b"
    assert same_bytes([a, a, a], 1) == []
    assert same_bytes([a, a, b, tmp_path / "missing"], 1) == [[0, 2]]
