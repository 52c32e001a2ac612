"""Tables of scores from predictions that are known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from helpers import make_images

from medad.workflows.scale import colour_scale, normal_scale
from medad.workflows.scoring import distinct, join, ranked, score


@dataclass
class Prediction:
    ids: tuple
    scores: dict
    maps: dict
    pred_label: np.ndarray | None


class Brightness:
    """A detector whose map is the image itself, in [0, 1], three images at a time."""

    def __init__(self, maps=True, threshold=None):
        self.maps, self.threshold = maps, threshold

    def predict(self, images):
        assert images.labels is None and images.kinds is None and images.masks is None
        for i in range(0, len(images), 3):
            maps = images.pixels[i : i + 3, 0].astype(np.float32) / images.scale
            means = maps.mean((1, 2)).astype(np.float64)
            label = None if self.threshold is None else (means >= self.threshold).astype(np.int8)
            yield Prediction(
                images.ids[i : i + 3],
                {"pred_score": means},
                {"anomaly_map": maps} if self.maps else {},
                label,
            )


@pytest.fixture
def images():
    return replace(make_images(8), labels=np.arange(8, dtype=np.int8) % 2, kinds=("",) * 8)


def test_every_image_has_its_row(images):
    batches = []
    table = score(Brightness(), images, batches.append)
    expected = images.pixels[:, 0].astype(np.float32).mean((1, 2)) / 255
    assert table.image_path == images.ids and table.kinds == images.kinds
    np.testing.assert_allclose(table.columns["pred_score"], expected, rtol=1e-5)
    np.testing.assert_array_equal(table.gt_label, images.labels)
    assert table.pred_label is None
    np.testing.assert_allclose(join(batches)["anomaly_map"], images.pixels[:, 0] / 255, atol=1e-6)


def test_the_threshold_labels_all_batches(images):
    table = score(Brightness(threshold=0.2), images)
    np.testing.assert_array_equal(table.pred_label, table.columns["pred_score"] >= 0.2)
    assert len(table.pred_label) == 8


def test_joining_nothing():
    assert join([]) == {}


def test_the_scale_of_normal_images(images):
    expected = np.percentile(images.pixels / 255, (50, 99.9))
    np.testing.assert_allclose(normal_scale(Brightness(), images), expected, atol=1e-6)


def test_no_scale_without_maps(images):
    assert normal_scale(Brightness(maps=False), images) is None


def test_the_scale_of_many_maps_is_read_off_evenly_spaced_ones():
    maps = np.repeat(np.arange(1000, dtype=np.float32), 4).reshape(1000, 2, 2)
    low, high = colour_scale(maps)
    assert low == pytest.approx(499.5, abs=2) and high == pytest.approx(999, abs=1)


def test_a_map_by_another_name_is_left_out():
    maps = {"a": np.zeros((2, 3, 3)), "b": np.ones((2, 3, 3))}
    assert set(distinct(maps | {"anomaly_map": maps["b"].copy()})) == {"a", "b"}
    assert set(distinct(maps | {"anomaly_map": maps["b"] / 2})) == {"a", "b", "anomaly_map"}
    assert set(distinct({"anomaly_map": maps["b"]})) == {"anomaly_map"}
    assert distinct({}) == {}


def test_ranking_keeps_rows_together(images):
    table = score(Brightness(threshold=0.2), images)
    best_first = ranked(table)
    assert best_first.columns["pred_score"].tolist() == sorted(table.columns["pred_score"], reverse=True)
    assert best_first.gt_label is None
    place = [table.image_path.index(name) for name in best_first.image_path]
    np.testing.assert_array_equal(best_first.columns["pred_score"], table.columns["pred_score"][place])
    np.testing.assert_array_equal(best_first.pred_label, table.pred_label[place])
