"""Descriptors of many images: each image once, the same by whatever way."""

import sqlite3

import numpy as np
import pytest
import torch
from helpers import make_images
from torch import nn

from medad.detectors.features import extraction
from medad.detectors.features.descriptor_store import DescriptorStore
from medad.detectors.features.extraction import content_digest, descriptors_of
from medad.detectors.features.extractors.contract import Extractor

CPU = torch.device("cpu")


class Counting(Extractor):
    """A convolution that counts the images it sees."""

    pooled = dense = ("only",)

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.layer = nn.Conv2d(1, 6, 5, 2, bias=False).requires_grad_(False)
        self.layer.weight.data = torch.randn(self.layer.weight.shape, generator=generator)
        self.seen = 0

    def forward(self, x):
        self.seen += len(x)
        return {"only": self.layer(x).relu()}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDAD_CACHE", str(tmp_path / "cache"))


def describe(pixels, extractor=None, threads=1, key="counting"):
    return descriptors_of(extractor or Counting(), DescriptorStore(key), pixels, threads, CPU)


def test_the_digest_is_of_content_alone():
    images = make_images(3).pixels
    assert content_digest(images[0]) == content_digest(images[0].copy())
    assert content_digest(images[0]) == content_digest(np.asfortranarray(images[0]))
    others = [images[1], images[0].astype(np.uint16), images[0].reshape(1, 32, 128), images[0].transpose(0, 2, 1)]
    assert len({content_digest(image) for image in [images[0], *others]}) == 5


def test_descriptors_are_what_the_extractor_says():
    pixels, extractor = make_images(5).pixels, Counting()
    x = torch.from_numpy(pixels).float() / 127.5 - 1
    expected = extractor.describe(extractor(x)).numpy()
    np.testing.assert_allclose(describe(pixels), expected, rtol=1e-5, atol=1e-5)


def test_equal_images_are_described_once():
    pixels, extractor = make_images(7).pixels, Counting()
    found = describe(pixels[[0, 1, 1, 2, 3, 4, 5, 6, 0, 0]], extractor)
    assert extractor.seen == 7
    np.testing.assert_array_equal(found[[0, 8, 9]], found[[0, 0, 0]])
    assert len(np.unique(found, axis=0)) == 7
    np.testing.assert_array_equal(describe(pixels[::-1], extractor), found[[7, 6, 5, 4, 3, 1, 0]])
    assert extractor.seen == 7, "all of them were known"
    describe(pixels, extractor, key="another extractor")
    assert extractor.seen == 14


@pytest.mark.parametrize("kept", [2, 256])
def test_threads_and_what_was_there_make_no_difference(kept, monkeypatch):
    monkeypatch.setattr(extraction, "KEPT_AT_ONCE", kept)
    monkeypatch.setattr(extraction, "PIXELS_AT_ONCE", {"cpu": 4 * 64**2})
    pixels = make_images(19).pixels
    alone = describe(pixels)
    np.testing.assert_array_equal(describe(pixels, threads=3, key="threads"), alone)
    describe(pixels[[3, 11, 4, 18]], key="some")
    np.testing.assert_allclose(describe(pixels, key="some"), alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(describe(pixels), alone)


def test_sixteen_bits_are_described_as_eight():
    eight = make_images(4).pixels
    sixteen = eight.astype(np.uint16) * 257
    np.testing.assert_allclose(describe(sixteen), describe(eight), rtol=1e-5, atol=1e-5)
    finer = sixteen + np.uint16(1)
    assert content_digest(finer[0]) != content_digest(sixteen[0])


def test_mapped_images_are_described(tmp_path):
    pixels = make_images(4).pixels
    np.save(tmp_path / "pixels.npy", pixels)
    np.testing.assert_array_equal(describe(np.load(tmp_path / "pixels.npy", mmap_mode="r")), describe(pixels))


def test_large_images_go_one_by_one(monkeypatch):
    monkeypatch.setattr(extraction, "PIXELS_AT_ONCE", {"cpu": 64**2 - 1})
    assert describe(make_images(3).pixels).shape == (3, 6)


@pytest.mark.parametrize("how", ["damaged", "without rows", "no folder"])
def test_a_store_that_fails_breaks_nothing(how):
    pixels, store = make_images(5).pixels, DescriptorStore("counting")
    expected = describe(pixels)
    match how:
        case "damaged":
            store.file.write_bytes(store.file.read_bytes()[:1000] + b"damage" * 1000)
        case "without rows":
            with sqlite3.connect(store.file) as database:
                database.execute("drop table descriptors")
            database.close()
        case "no folder":
            store.file.unlink()
            store.file.parent.rmdir()
            store.file.parent.touch()
    extractor = Counting()
    np.testing.assert_array_equal(describe(pixels, extractor), expected)
    np.testing.assert_array_equal(describe(pixels, extractor), expected)
    assert extractor.seen == (10 if how == "no folder" else 5)
