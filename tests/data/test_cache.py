"""Decoded images come back from the cache, and nothing else does."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from image_files import SaveImage, random_image
from PIL import Image

from medad.data import cache as store
from medad.data import loading
from medad.data.entries import Entry
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.errors import UserError

SMALL = Preprocessing(16)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test an empty cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MEDAD_CACHE", str(folder))
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of files in the order in which they are decoded."""
    names: list[str] = []
    decode = loading.decode
    monkeypatch.setattr(loading, "decode", lambda path, frame: names.append(path.name) or decode(path, frame))
    return names


@pytest.fixture
def entries(save: SaveImage) -> list[Entry]:
    return [Entry(name, save(name, size=(20, 15), seed=seed)) for seed, name in enumerate(["a.png", "b.png"])]


def test_the_second_time_nothing_is_decoded(entries: list[Entry], decoded: list[str], cache: Path) -> None:
    first, second = load_images(entries, SMALL, jobs=1), load_images(entries, SMALL, jobs=2)
    assert decoded == ["a.png", "b.png"]
    assert isinstance(second.images.pixels, np.memmap) and not second.images.pixels.flags.writeable
    np.testing.assert_array_equal(first.images.pixels, second.images.pixels)
    assert first.notes == second.notes == ("2 of 2 images are not square and were stretched",)
    assert sorted(file.suffix for file in (cache / "images").iterdir()) == [".json", ".npy"]


def test_notes_that_name_an_image_come_from_the_cache_without_its_name(tmp_path: Path, cache: Path) -> None:
    Image.new("L", (9, 9), 77).save(tmp_path / "doe_john.png")
    entry = Entry("doe_john.png", tmp_path / "doe_john.png")
    assert load_images([entry], SMALL).notes == load_images([entry], SMALL).notes
    assert load_images([entry], SMALL).notes == ("constant images: 1 (first: doe_john.png)",)
    assert all(b"doe_john" not in file.read_bytes() for file in (cache / "images").iterdir())


def test_without_the_cache_nothing_is_kept(entries: list[Entry], decoded: list[str], cache: Path) -> None:
    first, second = (load_images(entries, SMALL, cache=False) for _ in range(2))
    assert decoded == ["a.png", "b.png"] * 2 and list(cache.iterdir()) == []
    np.testing.assert_array_equal(first.images.pixels, load_images(entries, SMALL).images.pixels)
    assert first.notes == second.notes and len(first.notes) == 1


def test_what_changes_the_key(entries: list[Entry], save: SaveImage) -> None:
    key = store.cache_key(entries, SMALL)
    assert key == store.cache_key(entries, SMALL, jobs=1)
    others = [
        store.cache_key(entries, Preprocessing(17)),
        store.cache_key(entries, Preprocessing(16, 3)),
        store.cache_key(entries[::-1], SMALL),
        store.cache_key(entries[:1], SMALL),
        store.cache_key([Entry("other.png", entries[0].path), entries[1]], SMALL),
    ]
    save("a.png", seed=9)
    assert len({key, *others, store.cache_key(entries, SMALL)}) == 7


def test_a_moved_data_set_is_found_again(entries: list[Entry], decoded: list[str], tmp_path: Path) -> None:
    load_images(entries, SMALL)
    moved = [Entry(entry.id, tmp_path / "moved" / entry.id) for entry in entries]
    (tmp_path / "moved").mkdir()
    for entry, new in zip(entries, moved, strict=True):
        entry.path.rename(new.path)
    assert load_images(moved, SMALL).images.paths == tuple(str(entry.path) for entry in moved)
    assert decoded == ["a.png", "b.png"]


def test_a_repaired_file_is_read(entries: list[Entry]) -> None:
    good = entries[0].path.read_bytes()
    entries[0].path.write_bytes(good[:40])
    assert [failure.path for failure in load_images(entries, SMALL).failures] == [entries[0].path]
    entries[0].path.write_bytes(good)
    assert load_images(entries, SMALL).failures == ()


def test_failures_are_stored_and_looked_at_again(
    entries: list[Entry], decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries[1].path.write_bytes(b"")
    first = load_images(entries, SMALL)
    decoded.clear()
    second = load_images(entries, SMALL)
    assert first.failures == second.failures and second.images.ids == ("a.png",)
    assert decoded == ["b.png"]


def test_a_failure_of_the_drive_heals(entries: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:

        def fails(path: Path, frame: int | None) -> None:
            raise loading.UnreadableImage(path, "Input/output error")

        broken.setattr(loading, "decode", fails)
        assert len(load_images(entries, SMALL).failures) == 2
    assert load_images(entries, SMALL).failures == ()


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\x93NUMPY"])
def test_a_damaged_cache_is_written_anew(
    entries: list[Entry], decoded: list[str], cache: Path, suffix: str, content: bytes
) -> None:
    good = np.array(load_images(entries, SMALL).images.pixels)
    (file,) = (cache / "images").glob(f"*{suffix}")
    file.write_bytes(content)
    np.testing.assert_array_equal(load_images(entries, SMALL).images.pixels, good)
    load_images(entries, SMALL)
    assert decoded == ["a.png", "b.png"] * 2


def test_a_truncated_array_is_noticed(entries: list[Entry], cache: Path) -> None:
    good = np.array(load_images(entries, SMALL).images.pixels)
    (file,) = (cache / "images").glob("*.npy")
    file.write_bytes(file.read_bytes()[:-1])
    np.testing.assert_array_equal(load_images(entries, SMALL).images.pixels, good)


def test_nothing_pickled_is_loaded(entries: list[Entry], cache: Path) -> None:
    load_images(entries, SMALL)
    (file,) = (cache / "images").glob("*.npy")
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    assert store.load(file.stem) is None


def test_a_cache_that_cannot_be_written_is_one_note(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDAD_CACHE", str(tmp_path / "file"))
    loaded = load_images(entries, SMALL)
    assert len(loaded.images) == 2 and not isinstance(loaded.images.pixels, np.memmap)
    assert loaded.notes[-1].startswith(f"cache {tmp_path / 'file'} cannot be written (Not a directory)")
    assert "MEDAD_CACHE" in loaded.notes[-1] and len(loaded.notes) == 2


def test_a_full_disk_leaves_nothing_behind(entries: list[Entry], monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    loaded = load_images(entries, SMALL)
    assert len(loaded.images) == 2 and "No space left" in loaded.notes[-1]
    assert list((cache / "images").iterdir()) == []


def test_16_bit_colour_sets_survive(tmp_path: Path) -> None:
    random_image("I;16", (20, 20)).save(tmp_path / "a.png")
    entry = Entry("a.png", tmp_path / "a.png")
    first, second = (load_images([entry], Preprocessing(16, 3)).images for _ in range(2))
    assert second.pixels.dtype == np.uint16 and second.fingerprint == first.fingerprint


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be nobody whom the system knows, as in a container; return the folder of temporary files."""

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("HOME", "MEDAD_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store._without_home.cache_clear()
    return tmp_path


def test_who_has_no_home_gets_a_private_cache(homeless: Path, entries: list[Entry]) -> None:
    for _ in range(2):
        assert isinstance(load_images(entries, SMALL).images.pixels, np.memmap)
    assert store.cache_folder() == homeless / f"medad-{os.getuid()}"
    assert stat.S_IMODE(store.cache_folder().stat().st_mode) == 0o700


def test_a_temporary_folder_of_somebody_else_is_left_alone(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.getuid() + 1  # whose folder this user made first
    (homeless / f"medad-{me}").mkdir()
    monkeypatch.setattr("os.getuid", lambda: me)
    assert store.cache_folder().parent == homeless and not (homeless / f"medad-{me}").samefile(store.cache_folder())


def test_a_setting_that_begins_with_no_home_is_told(homeless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDAD_CACHE", "~/cache")
    with pytest.raises(UserError, match="MEDAD_CACHE=~/cache: ~ is no known folder here"):
        store.cache_folder()


def test_the_folder_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDAD_CACHE", "~/elsewhere")
    assert store.cache_folder() == Path.home() / "elsewhere"
    monkeypatch.delenv("MEDAD_CACHE")
    assert store.cache_folder() == Path.home() / ".cache" / "medad"
