"""The repartitions of the real data sets, which only some machines have."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medad.data.draw import draw_unlabeled
from medad.data.entries import Entry
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition


def by_label(entries: tuple[Entry, ...]) -> tuple[int, int]:
    labels = [entry.label for entry in entries]
    return labels.count(0), labels.count(1)


@pytest.mark.parametrize(
    ("name", "split", "normal", "unlabeled", "test", "drawn"),
    [
        ("brain_tumor", None, 1000, (400, 600), (600, 600), 1000),
        ("brain_tumor", "data_deduplicated.json", 1000, (400, 600), (167, 583), 1000),
        ("brain_tumor", "manifest.csv", 1000, (400, 600), (600, 600), 1000),
        ("brain_tumor_masks", None, 0, (0, 0), (600, 701), 0),
        ("pediatric_cxr", None, 741, (600, 900), (234, 390), 1500),
        ("adult_cxr", None, 191, (129, 317), (180, 183), 323),
        ("fundus_glaucoma", None, 600, (200, 153), (274, 153), 255),
        ("mvtec_screw", None, 320, (0, 0), (41, 119), 0),
    ],
)
def test_counts(
    real_data: Path, name: str, split: str | None, normal: int, unlabeled: tuple, test: tuple, drawn: int
) -> None:
    found = Repartition.read(real_data / name, split and Path(split))
    assert (len(found.normal), by_label(found.unlabeled), by_label(found.test)) == (normal, unlabeled, test)
    assert len(draw_unlabeled(found.unlabeled, None, 0.6)) == drawn


def test_brain_tumor_knows_the_kinds(real_data: Path) -> None:
    kinds = [entry.kind for entry in Repartition.read(real_data / "brain_tumor").test]
    assert {kind: kinds.count(kind) for kind in kinds} == {"normal": 600, "glioma": 300, "meningioma": 300}


@pytest.mark.parametrize("name", ["brain_tumor_masks", "mvtec_screw"])
def test_every_abnormal_image_and_no_other_has_a_mask(real_data: Path, name: str) -> None:
    test = Repartition.read(real_data / name).test
    images = load_images(test, Preprocessing()).images
    assert images.labels is not None and images.masks is not None
    assert not images.masks[images.labels == 0].any()
    assert all((entry.mask is not None) == (entry.label == 1) for entry in test)


def test_pixels_are_those_of_the_published_code(real_data: Path) -> None:
    test = Repartition.read(real_data / "adult_cxr").test[::20]
    images = load_images(test, Preprocessing(32)).images
    for entry, pixels in zip(test, images.pixels, strict=True):
        with Image.open(entry.path) as image:
            expected = np.array(image.convert("L").resize((32, 32), Image.Resampling.BILINEAR))
        np.testing.assert_array_equal(pixels[0], expected)
