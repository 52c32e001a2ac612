"""A detector is reported blind exactly where it was made so, and one that knows the images nowhere."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from medad.data.imageset import ImageSet
from medad.detectors.contract.prediction import Prediction
from medad.errors import MedadError, UserError
from medad.reports.stress_words import blind_words, lines
from medad.synthesis.stress_cells import CELLS, RADII, Cell
from medad.workflows import stress_cells
from medad.workflows.stress_cells import Stressed
from medad.workflows.stress_figures import stress_figures

SIDE, COUNT = 32, 40
BAND = (0.2, 0.52)
TOO_SMALL = (("shuffle source sink blur", 0.02), ("source sink", 0.04))  # disks of one and of five pixels


def heads(count=COUNT, side=SIDE, channels=1, dtype=np.uint8, low=0.55, high=0.6):
    """Return noise on a disk of middle grey, on a background of 0."""
    rng = np.random.default_rng(0)
    inside = np.hypot(*(np.mgrid[:side, :side] - side / 2)) < 0.4 * side
    pixels = np.where(inside, rng.uniform(low, high, (count, channels, side, side)), 0) * np.iinfo(dtype).max
    return ImageSet(pixels.astype(dtype), tuple(f"{i}.png" for i in range(count)), ("",) * count)


class Knowing:
    """A detector that knows the unchanged images, and does not see values in a band."""

    threshold_ = None
    name, seed = "knowing", 0

    def __init__(self, images, band=None, batch=COUNT, maps=True):
        self.known = {name: pixels for name, pixels in zip(images.ids, images.pixels, strict=True)}
        self.band, self.batch, self.maps = band, batch, maps
        self.options = SimpleNamespace(size=images.pixels.shape[-1])

    def predict(self, images):
        assert images.labels is None and images.masks is None
        for start in range(0, len(images), self.batch):
            some = images.subset(range(len(images))[start : start + self.batch])
            before = np.stack([self.known[name] for name in some.ids]) / images.scale
            after = some.pixels / images.scale
            seen = np.ones_like(after) if self.band is None else (after < self.band[0]) | (after > self.band[1])
            found = (np.abs(after - before) * seen).mean(1).astype(np.float32)
            scores = {"pred_score": found.sum((1, 2)).astype(float), "constant": np.zeros(len(some))}
            yield Prediction(some.ids, scores, {"anomaly_map": found} if self.maps else {})


@pytest.fixture(scope="module")
def stressed():
    return Stressed.of(heads(), 0)


def blind(found, level, name, kind):
    return {(c["level"], c["radius"]) for c in found["cells"] if c["kind"] == kind and c[level][name]["blind"]}


@pytest.fixture
def some_cells(monkeypatch):
    """Leave out most contrasts, of which there are many."""
    some = tuple(cell for cell in CELLS if "contrast" not in cell.kind or abs(cell.level) == 0.2)
    monkeypatch.setattr(stress_cells, "CELLS", some)


def test_a_blind_detector_is_blind_where_it_was_made_so(stressed, some_cells):
    found = stress_figures(Knowing(stressed.images, BAND), stressed)
    expected = {(level, radius) for level in (0.25, 0.375, 0.5) for radius in RADII}
    assert blind(found, "image", "pred_score", "intensity") == expected
    assert blind(found, "pixel", "anomaly_map", "intensity") == expected
    assert blind(found, "image", "constant", "intensity") == {(i / 8, radius) for i in range(9) for radius in RADII}
    score = next(line for line in lines(blind_words(found)["deciding"]) if "of the range" in line)
    assert score == "  - disks between 0.25 and 0.5 of the range, of every size"
    json.dumps(found, allow_nan=False)


def test_a_detector_that_knows_the_images_is_blind_nowhere(stressed):
    found = stress_figures(Knowing(stressed.images), stressed)
    assert not [c for c in found["cells"] if c["image"]["pred_score"]["blind"] or c["pixel"]["anomaly_map"]["blind"]]
    assert all(cell["image"]["pred_score"]["found"] for cell in found["cells"])
    there = {(c["kind"], c["level"], c["radius"]) for c in found["cells"]}
    missing = {(cell.level, cell.radius) for cell in stressed.cells} - {one[1:] for one in there}
    one_pixel, five = ({(name, radius) for name in names.split()} for names, radius in TOO_SMALL)
    assert missing == one_pixel | five
    words = blind_words(found)["deciding"]
    assert all(line.endswith("no blind cell") and not listed for line, listed in words)


def place(cell):
    return cell["kind"], cell["level"], cell["radius"]


def test_figures_do_not_depend_on_batches_nor_need_maps(stressed, some_cells):
    whole, small, without = (
        stress_figures(Knowing(stressed.images, BAND, **how), stressed) for how in ({}, {"batch": 7}, {"maps": False})
    )
    assert whole == small
    assert without["maps"] == [] and all(cell["pixel"] == {} for cell in without["cells"])
    assert [cell["image"] for cell in without["cells"]] == [cell["image"] for cell in whole["cells"]]


def test_a_threshold_calls_images(stressed, some_cells):
    detector = Knowing(stressed.images)
    detector.threshold_ = 0.5
    found = stress_figures(detector, stressed)
    assert found["false_alarms"]["share"] == 0 and found["false_alarms"]["share_ci"][0] == 0
    by_place = {place(cell): cell["called"]["share"] for cell in found["cells"]}
    assert by_place["intensity", 1.0, 0.12] == 1 and by_place["intensity", 0.625, 0.02] == 0


def test_what_is_not_finite_is_told(stressed):
    detector = Knowing(stressed.images)
    detector.known = {name: np.full((1, SIDE, SIDE), np.nan) for name in detector.known}
    with pytest.raises(MedadError, match="not finite"):
        stress_figures(detector, stressed)


def test_all_cells_share_places(stressed):
    masks = [stressed.masks[radius] for radius in RADII]
    for small, large in zip(masks, masks[1:], strict=False):
        assert (small <= large).all() and small.any((1, 2)).all()
    before = stressed.images.pixels
    for cell in (Cell("intensity", 1.0, 0.08), Cell("soft contrast", -0.5, 0.08), Cell("texture", "blur", 0.08)):
        after = stressed.changed(cell).pixels
        assert not (after != before)[:, 0][~stressed.masks[0.08]].any()
        np.testing.assert_array_equal(stressed.changed(cell, slice(0, 1)).pixels, after[:1])
    assert not np.array_equal(Stressed.of(stressed.images, 1).masks[0.08], stressed.masks[0.08])


def test_colours_of_16_bits_change_inside_the_disk_alone():
    images = heads(4, 64, channels=3, dtype=np.uint16)
    stressed = Stressed.of(images, 0)
    for cell in stressed.cells[:: len(RADII)]:
        after = stressed.changed(cell).pixels
        outside = ~np.broadcast_to(stressed.masks[cell.radius][:, None], after.shape)
        assert after.dtype == np.uint16 and (after[outside] == images.pixels[outside]).all()


def test_images_without_background_and_small_foregrounds_are_said():
    full = heads(4)
    full = replace(full, pixels=np.maximum(full.pixels, 40))
    assert Stressed.of(full, 0).notes == ["4 of 4 images have no dark background: disks may lie anywhere there"]
    small = np.zeros((4, 1, 64, 64), np.uint8)
    small[:, :, 20:28, 20:29] = 200
    found = Stressed.of(replace(full, pixels=small), 0)
    assert list(found.masks) == [0.02, 0.04] and {cell.radius for cell in found.cells} == {0.02, 0.04}
    assert [note.split(" of the side ")[1] for note in found.notes] == ["are larger than the foreground: left out"] * 2
    small[:, :, :, 20:28] = 0
    small[:, :, :24] = 0
    with pytest.raises(UserError, match="smaller than any anomaly"):
        Stressed.of(replace(full, pixels=small), 0)
