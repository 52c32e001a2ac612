"""Which files are images, and how many they hold."""

import os
from pathlib import Path

import pytest
from image_files import SaveImage, random_image

from medad.data.readers import count_frames, is_image, is_still


@pytest.mark.parametrize(
    "text",
    [
        b"path,split\n",
        "größe;kind\r\n".encode("latin-1"),
        "notes\n".encode("utf-16"),
        b"\x1b[1mlog\x1b[0m",
        b"x" * 9999,
    ],
)
def test_text_holds_no_image(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "LIESMICH").write_bytes(text)
    assert count_frames(tmp_path / "LIESMICH") == 0 and not is_image(tmp_path / "LIESMICH")


@pytest.mark.parametrize("content", [b"", b"\0" * 128 + b"DICM", b"GIF89a\5\0\5\0", b"II*\0\xff\xff\xff\xff"])
def test_what_cannot_be_read_counts_as_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "scan").write_bytes(content)
    assert count_frames(tmp_path / "scan") == count_frames(tmp_path / "missing") == count_frames(tmp_path) == 1


def test_a_name_promises_an_image_or_the_file_shows_it(save: SaveImage, tmp_path: Path) -> None:
    (tmp_path / "sheet.xlsx").write_bytes(b"PK\3\4")
    random_image("L", (5, 5)).save(tmp_path / "scan", "PNG")
    names = ["empty.JPG", "empty.tiff", "scan", "sheet.xlsx", "missing"]
    assert [is_image(tmp_path / name) for name in names] == [True, True, True, False, False]
    assert [is_still(tmp_path / name) for name in names] == [True, False, False, False, False]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert count_frames(tmp_path / "pipe") == 1 and not is_image(tmp_path / "pipe")
