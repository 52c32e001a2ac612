"""Which files are images, and how many they hold."""

import os
from pathlib import Path

import pytest
from image_files import SaveImage, random_image

from medad.data.readers import UnreadableImage, count_frames, decode, is_image, is_still, read_header
from medad.data.readers.pillow import PillowReader


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


class Panic(BaseException):
    """What decoders in Rust raise."""


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (Panic("index out of bounds: the len is 6"), "cannot be decoded (index out of bounds: the len is 6)"),
        (ValueError("could not convert string to float: 'Doe^Jane'"), "string to float: '...')"),
        (ValueError("no \"Doe^Jane\" and no b'Doe', it's odd"), "(no '...' and no '...', it's odd)"),
        (ValueError("Döe\x00\x1b" + 1000 * "e"), f"({('De' + 1000 * 'e')[:200]})"),
        (MemoryError(), "(MemoryError)"),
    ],
)
def test_whatever_a_library_raises_is_one_line_that_quotes_nothing(
    raised: BaseException, reason: str, save: SaveImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise raised

    for name in ("read", "header", "frames"):
        monkeypatch.setattr(PillowReader, name, fail)
    file = save("a.png")
    for read in (decode, read_header):
        with pytest.raises(UnreadableImage) as caught:
            read(file)
        assert caught.value.reason.endswith(reason) and "Doe" not in caught.value.reason
    assert count_frames(file) == 1


def test_a_stop_is_no_damage(save: SaveImage, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("read", "frames"):
        monkeypatch.setattr(PillowReader, name, stop)
    for read in (decode, count_frames):
        with pytest.raises(KeyboardInterrupt):
            read(save("a.png"))
