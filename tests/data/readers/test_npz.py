"""Arrays of images in NumPy's files."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from medad.data.intensity import Intensity
from medad.data.readers import UnreadableImage, count_frames, decode, find_reader
from medad.data.readers.npz import NpzReader


def random(shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    values = np.random.default_rng(sum(shape)).integers(0, 200, shape)
    return values.astype(dtype)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_images_of_all_arrays_are_frames_in_order_and_labels_are_none(tmp_path: Path, save) -> None:
    train, test = random((5, 6, 7)), random((3, 6, 7))
    save(tmp_path / "scan", train_images=train, train_labels=random((5, 1)), test_images=test, extra=random((9, 6, 7)))
    path = (tmp_path / "scan.npz").rename(tmp_path / "scan")
    assert isinstance(find_reader(path), NpzReader) and count_frames(path) == 8
    for frame, expected in enumerate([*train, *test], 1):
        image = decode(path, frame)
        np.testing.assert_array_equal(image.pixels, expected)
        assert image.white == 255
    with pytest.raises(UnreadableImage, match="no such frame, the file has 8"):
        decode(path, 9)


@pytest.mark.parametrize(
    ("shape", "count"), [((6, 7), 1), ((6, 7, 3), 1), ((4, 6, 7), 4), ((4, 6, 7, 3), 4), ((1, 5, 3), 1)]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_plain_arrays(tmp_path: Path, shape: tuple[int, ...], count: int, order: str) -> None:
    array = random(shape)
    np.save(tmp_path / "a.npy", np.array(array, order=order))
    assert count_frames(tmp_path / "a.npy") == count
    stack = array if count > 1 else array[None]
    for frame in range(1, count + 1):
        np.testing.assert_array_equal(decode(tmp_path / "a.npy", frame).pixels, stack[frame - 1])


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i4", "float16", "float32", ">f8", "bool"])
def test_one_range_serves_all_images_of_a_file(tmp_path: Path, dtype: str) -> None:
    low, high = random((1, 8, 8), dtype), random((2, 8, 8), dtype)
    high[1] = 1 if dtype == "bool" else 1000
    np.savez(tmp_path / "a.npz", a=low, b=high)
    first = decode(tmp_path / "a.npz", 1)
    np.testing.assert_array_equal(first.pixels, low[0] * (255 if dtype == "bool" else 1))
    assert first.white == (255 if dtype == "bool" else None)
    brightest = [Intensity.parse("file")(decode(tmp_path / "a.npz", frame))[0].max() for frame in (1, 3)]
    assert brightest[1] == (255 if dtype == "bool" else 65535) and (brightest[0] < 15000 or dtype == "bool")


def test_what_is_no_number_is_padding(tmp_path: Path) -> None:
    array = random((2, 4, 5), "float32")
    array[0, 1, 2] = np.nan
    np.save(tmp_path / "a.npy", array)
    image = decode(tmp_path / "a.npy", 1)
    assert np.argwhere(image.padding).tolist() == [[1, 2]] and image.remarks
    assert Intensity.parse("dicom")(image)[0][1, 2] == 0
    assert decode(tmp_path / "a.npy", 2).padding is None


def member(shape: tuple[int, ...], content: bytes, descr: str = "|u1") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + content


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[object()]]), allow_pickle=True)
    np.savez(tmp_path / "b.npz", images=np.array([[[{}]]]))
    for name in ("a.npy", "b.npz"):
        with pytest.raises(UnreadableImage, match="holds Python objects, which are not read"):
            decode(tmp_path / name, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (member((4, 6, 7), bytes(167)), "claims another number of values"),
        (member((4, 6, 7), bytes(169)), "claims another number of values"),
        (member((10**6, 10**6, 10**6), b""), "claims another number of values"),
        (member((3,), bytes(3)), "holds no array of images"),
        (member((2, 0, 7), b""), "holds no array of images"),
        (member((2, 28, 28, 28), bytes(2 * 28**3)), "holds no array of images"),
        (member((2, 3, 4), bytes(24 * 16), "<c16"), "holds no array of images"),
        (b"\x93NUMPY\x01\x00\x10\x00" + b"__import__('os')", "cannot be decoded"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(10**6), "cannot be decoded"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_headers_that_cannot_be_are_refused(tmp_path: Path, content: bytes, said: str, packed: bool) -> None:
    path = tmp_path / "scan"
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(UnreadableImage) as error:
        decode(path, 1)
    assert said in error.value.reason and count_frames(path) == 1


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medad.data.readers.npz.BUDGET", 10**6)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((1000, 32, 32), np.uint8))
    asked, read = [], zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: asked.append(n) or read(self, n))
    with pytest.raises(UnreadableImage, match="its images take more than 0 MiB"):
        decode(tmp_path / "a.npz", 1)
    assert asked and max(asked) <= 2**14 and min(asked) > 0


def test_a_header_that_claims_gigabytes_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(10**6))
    asked, read = [], zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: asked.append(n) or read(self, n))
    with pytest.raises(UnreadableImage):
        decode(tmp_path / "a.npz", 1)
    assert asked and max(asked) <= 2**14 and min(asked) > 0


def test_damage_is_said(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=random((50, 20, 20)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for name, damaged in (("cut", content[:4000]), ("flip", content[:4000] + b"\xff" + content[4001:])):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(UnreadableImage, match="its compression is damaged"):
            decode(tmp_path / name, 1)


def test_other_zip_files_are_not_known(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("word/document.xml", "no array")
    assert find_reader(tmp_path / "a.npz") is None
