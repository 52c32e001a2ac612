"""What was read of large files and is kept."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from medad.data.readers import UnreadableImage
from medad.data.readers.kept import KeptFiles


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in "abcd"]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_what_was_used_longest_ago_makes_room(files: list[Path]) -> None:
    kept, read = KeptFiles[str](30), []

    def get(index: int, size: int = 10) -> str:
        return kept.get(files[index], size, lambda path: read.append(path.name) or path.read_text())

    assert [get(i) for i in (0, 1, 2, 0, 1, 2)] == ["a", "b", "c"] * 2 and read == ["a", "b", "c"]
    get(0)
    get(3)  # b was used longest ago
    assert [get(i) for i in (0, 2, 3)] == ["a", "c", "d"] and read == ["a", "b", "c", "d"]
    get(1, 100)  # more than the budget: alone
    assert get(1, 100) == "b" and read[4:] == ["b"]
    get(0)
    assert read[5:] == ["a"]


def test_a_file_that_changed_is_read_again(files: list[Path]) -> None:
    kept = KeptFiles[str](30)
    assert kept.get(files[0], 10, Path.read_text) == "a"
    files[0].write_text("other")
    assert kept.get(files[0], 10, Path.read_text) == "other"


def test_what_cannot_be_read_is_remembered_unless_the_drive_fails(files: list[Path]) -> None:
    kept, asked = KeptFiles[str](30), []

    def fail(error: Exception):
        def read(path: Path) -> str:
            asked.append(path.name)
            raise error

        return read

    for _ in range(2):
        with pytest.raises(UnreadableImage, match="broken"):
            kept.get(files[0], 10, fail(UnreadableImage(files[0], "broken")))
        with pytest.raises(OSError, match="drive"):
            kept.get(files[1], 10, fail(OSError("drive")))
    assert asked == ["a", "b", "b"]


def test_reading_waits_for_room(files: list[Path]) -> None:
    """Two files of 20 do not fit 30: the second is begun when the first is there, and never beside it."""
    kept, go, begun = KeptFiles[str](30), Event(), []

    def slowly(path: Path) -> str:
        begun.append(path.name)
        assert go.wait(60)
        return path.read_text()

    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(kept.get, files[i], 20, slowly) for i in (0, 1, 0)]
        small = pool.submit(kept.get, files[2], 10, Path.read_text)
        assert small.result(60) == "c" and len(begun) == 1
        go.set()
        assert [result.result(60) for result in results] == ["a", "b", "a"]
    assert len(begun) <= 3
