"""Files that hold several images: from the reader to the image set, with what their headers know."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from image_files import SaveImage, random_image
from PIL import Image

from medad.data import cache as store
from medad.data import loading
from medad.data.entries import Entry
from medad.data.finding import find_images
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.readers import Decoded, Header, UnreadableImage, decode, read_header, registry
from medad.data.readers.contract import the_frame
from medad.data.repartition import Repartition

SMALL = Preprocessing(4)
MARK = b"TOY\0"


class ToyReader:
    """A mark, the patient's name in 8 bytes, then frames of 4 x 4 pixels."""

    name, version = "toy", "1"
    formats, suffixes, stills = ("TOY",), (".toy.gz",), ()

    def knows(self, head: bytes) -> bool:
        return head.startswith(MARK)

    def frames(self, path: Path) -> int:
        return (path.stat().st_size - 12) // 16

    def header(self, path: Path, frame: int | None) -> Header:
        name = path.read_bytes()[4:12].rstrip(b"\0").decode()
        return Header(patient=name, study="s1", bits=8, spacing=(0.5, 0.25))

    def read(self, path: Path, frame: int | None) -> Decoded:
        start = 12 + 16 * (the_frame(path, frame, self.frames(path)) - 1)
        pixels = np.frombuffer(path.read_bytes()[start : start + 16], np.uint8).reshape(4, 4)
        return Decoded(pixels, "TOY", "L", white=255, header=self.header(path, frame))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Register the toy for the test, which gets an empty cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MEDAD_CACHE", str(folder))
    monkeypatch.setattr(registry, "READERS", (*registry.READERS, ToyReader()))
    return folder


def toy(path: Path, frames: int, patient: str = "doe") -> np.ndarray:
    """Write a toy file; return its frames."""
    pixels = np.random.default_rng(frames).integers(0, 256, (frames, 4, 4), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MARK + patient.encode().ljust(8, b"\0") + pixels.tobytes())
    return pixels


def test_an_image_without_pixels_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy(tmp_path / "scan", 1)
    monkeypatch.setattr(ToyReader, "read", lambda *_: Decoded(np.zeros((0, 4), np.uint8), "TOY", "L", white=255))
    with pytest.raises(UnreadableImage, match="its image has no pixels"):
        decode(tmp_path / "scan")


@pytest.mark.parametrize("name", ["scan", "scan.toy.gz", "scan.dcm"])
def test_every_frame_of_a_file_in_a_folder_is_an_image(tmp_path: Path, save: SaveImage, name: str) -> None:
    pixels = toy(tmp_path / "a" / name, 3)
    save("b.png", size=(4, 4))
    entries = find_images([tmp_path]).entries
    assert [(e.id, e.frame) for e in entries] == [(f"a/{name}#{i}", i) for i in (1, 2, 3)] + [("b.png", None)]
    for cached in (False, True, True):
        images = load_images(entries, SMALL, cache=cached).images
        np.testing.assert_array_equal(images.pixels[:3, 0], pixels)
        assert images.ids == tuple(entry.id for entry in entries) and images.frames == (1, 2, 3, None)
        assert images.paths == (str(tmp_path / "a" / name),) * 3 + (str(tmp_path / "b.png"),)
        assert images.patients == ("doe", "doe", "doe", "")
    assert images.subset([3, 1]).frames == (None, 2)
    assert read_header(tmp_path / "a" / name, 2).spacing == (0.5, 0.25)


def test_a_file_of_one_image_needs_no_number(tmp_path: Path) -> None:
    pixels = toy(tmp_path / "scan", 1)
    (entry,) = find_images([tmp_path / "scan"]).entries
    assert entry == Entry("scan", tmp_path / "scan")
    images = load_images([entry], SMALL).images
    assert images.frames is None and images.patients == ("doe",)
    np.testing.assert_array_equal(images.pixels[0], pixels)


def test_a_patient_that_the_entry_names_is_kept(tmp_path: Path) -> None:
    toy(tmp_path / "scan", 2)
    entries = [Entry("scan#2", tmp_path / "scan", patient="p7", frame=2), Entry("scan#1", tmp_path / "scan", frame=1)]
    for _ in range(2):
        assert load_images(entries, SMALL).images.patients == ("p7", "doe")


def test_headers_are_read_once_more_only_for_what_comes_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy(tmp_path / "scan", 2)
    entries, asked = find_images([tmp_path]).entries, []
    monkeypatch.setattr(loading, "read_header", lambda *frame: asked.append(frame) or Header(patient="doe"))
    for cached, times in ((False, 0), (True, 0), (True, 2)):
        assert load_images(entries, SMALL, cache=cached).images.patients == ("doe", "doe")
        assert len(asked) == times


def test_the_cache_names_no_patient(tmp_path: Path, cache: Path) -> None:
    toy(tmp_path / "scan", 2)
    entries = find_images([tmp_path]).entries
    assert load_images(entries, SMALL).images.patients == ("doe", "doe")
    kept = list((cache / "images").iterdir())
    assert len(kept) == 2 and all(b"doe" not in file.read_bytes() for file in kept)


def test_another_version_of_a_reader_is_another_key_for_its_own_files_only(
    tmp_path: Path, save: SaveImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy(tmp_path / "scan", 2)
    own, other = find_images([tmp_path / "scan"]).entries, find_images([save("b.png")]).entries
    before = [store.cache_key(entries, SMALL) for entries in (own, own[:1], own[1:], other)]
    monkeypatch.setattr(ToyReader, "version", "2")
    after = [store.cache_key(entries, SMALL) for entries in (own, own[:1], own[1:], other)]
    assert len({*before, *after}) == 7 and before[3] == after[3]


def test_a_file_of_many_images_is_digested_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy(tmp_path / "normal" / "scan", 9)
    digested, digest = [], store.digest
    monkeypatch.setattr(store, "digest", lambda file: digested.append(file) or digest(file))
    store.cache_key(Repartition.read(tmp_path).normal, SMALL, jobs=1)
    assert digested == [tmp_path / "normal" / "scan"]


def test_a_frame_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    toy(tmp_path / "scan", 2)
    entries = [Entry(f"scan#{i}", tmp_path / "scan", frame=i) for i in (1, 3)]
    loaded = load_images(entries, SMALL)
    assert loaded.images.ids == ("scan#1",)
    assert [failure.reason for failure in loaded.failures] == ["frame 3: no such frame, the file has 2"]


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """Yield a data set in folders whose normal and abnormal scans hold two and three frames."""
    for name, count in {"normal/scan": 2, "test/abnormal/scan": 3}.items():
        toy(tmp_path / name, count)
    random_image("L", (4, 4)).save(tmp_path / "normal" / "a.png")
    yield tmp_path


def test_folders_give_each_frame_the_label_of_its_folder(folders: Path) -> None:
    found = Repartition.read(folders)
    assert [entry.id for entry in found.normal] == ["normal/a.png", "normal/scan#1", "normal/scan#2"]
    assert [(entry.frame, entry.label) for entry in found.test] == [(1, 1), (2, 1), (3, 1)]


def test_a_manifest_names_frames_and_gives_them_back(folders: Path) -> None:
    whole = Repartition.read(folders)
    whole.write(folders / "manifest.csv")
    assert Repartition.read(folders) == whole
    random_image("L", (4, 4)).save(folders / "normal" / "scan#2", "PNG")  # a file that is named so
    assert Repartition.read(folders).normal[2] == Entry("normal/scan#2", folders / "normal" / "scan#2", 0)


def test_a_data_json_names_frames_too(tmp_path: Path) -> None:
    pages = [random_image("L", (4, 4), seed) for seed in range(2)]
    (tmp_path / "images").mkdir()
    pages[0].save(tmp_path / "images" / "a.tif", save_all=True, append_images=pages[1:])
    train = {"0": ["a.tif#2"], "unlabeled": {"0": [], "1": []}}
    (tmp_path / "data.json").write_text(json.dumps({"train": train, "test": {"0": ["a.tif#1"], "1": []}}))
    found = Repartition.read(tmp_path)
    assert [entry.id for entry in found.normal + found.test] == ["images/a.tif#2", "images/a.tif#1"]
    images = load_images(found.normal, SMALL).images
    np.testing.assert_array_equal(images.pixels[0, 0], np.asarray(pages[1]))


def test_masks_in_mvtec_folders_are_those_of_single_images(tmp_path: Path) -> None:
    toy(tmp_path / "test" / "crack" / "scan", 2)
    (tmp_path / "train" / "good").mkdir(parents=True)
    (tmp_path / "ground_truth" / "crack").mkdir(parents=True)
    Image.new("L", (4, 4)).save(tmp_path / "ground_truth" / "crack" / "scan_mask.png")
    assert [entry.mask for entry in Repartition.read(tmp_path).test] == [None, None]
    toy(tmp_path / "test" / "crack" / "scan", 1)
    assert [entry.mask is None for entry in Repartition.read(tmp_path).test] == [False]
