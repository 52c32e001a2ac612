"""The law for every detector: each registered method passes the same checks with preset tiny."""

from contextlib import redirect_stderr
from dataclasses import replace
from functools import cache
from io import StringIO

import numpy as np
import pytest
from helpers import make_images

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.holdout import split_holdout
from medad.detectors.registry import METHODS, PRESETS, load_detector, make_detector
from medad.errors import NotFittedError, UserError
from medad.evaluation.calibration import threshold_at_specificity
from medad.synthesis.stress_cells import Cell
from medad.workflows import stress_cells
from medad.workflows.stress_figures import stress_figures

# All checks of a method stand together, so that those in one process share its fits.
pytestmark = pytest.mark.parametrize("method", METHODS, scope="module")

WHOLE = make_images(12, seed=1, name="normal")
NORMAL, HELD_OUT = split_holdout(WHOLE, 0.3, seed=0)
POOL = make_images(4, seed=2, name="pool")


def make(method: str, **options: object) -> Detector:
    return make_detector(method, "tiny", device="cpu", jobs=1, **options)


@cache
def fitted(method: str, unlabeled: bool = True) -> Detector:
    return make(method).fit(NORMAL, POOL if unlabeled else None)


@cache
def fitted_with_labels(method: str) -> tuple[Detector, str]:
    """Return what is fitted once more, to the same images with labels and masks, and what it said."""
    labels, masks = np.array([0, 1, 0, 1], np.int8), np.ones((4, 64, 64), bool)
    with redirect_stderr(StringIO()) as said:
        detector = make(method).fit(NORMAL, replace(POOL, labels=labels, masks=masks, kinds=("lesion",) * 4))
    return detector, said.getvalue()


def predict(detector: Detector, images: ImageSet, batch_size: int | None = None) -> tuple[dict, dict]:
    batches = list(detector.predict(images, batch_size))
    scores = {name: np.concatenate([b.scores[name] for b in batches]) for name in batches[0].scores}
    maps = {name: np.concatenate([b.maps[name] for b in batches]) for name in batches[0].maps}
    return scores, maps


def assert_same(a: dict, b: dict, rtol: float = 0, atol: float = 0) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=rtol, atol=atol, err_msg=name)


def test_scores_and_maps_have_their_shapes(method):
    images = make_images(5, seed=3)
    (prediction,) = fitted(method).predict(images)
    assert prediction.ids == images.ids
    assert "pred_score" in prediction.scores
    assert ("anomaly_map" in prediction.maps) == METHODS[method].maps
    for score in prediction.scores.values():
        assert score.shape == (5,)
        assert np.isfinite(score).all()
    for anomaly_map in prediction.maps.values():
        assert anomaly_map.shape == (5, 64, 64)
        assert anomaly_map.dtype == np.float32


def test_batch_size_does_not_matter(method):
    images = make_images(7, seed=3)
    for one, other in zip(predict(fitted(method), images), predict(fitted(method), images, 2), strict=True):
        for name, values in other.items():
            # The parts of a signed sum cancel: what is near 0 is as exact as the largest of them.
            largest = max(1, abs(values).max()) if (values < 0).any() else 1
            np.testing.assert_allclose(one[name], values, rtol=1e-5, atol=1e-5 * largest, err_msg=name)


def test_anomalies_are_put_before_every_score_and_map(method, monkeypatch):
    monkeypatch.setattr(stress_cells, "CELLS", (Cell("intensity", 1.0, 0.12),))
    found = stress_figures(fitted(method), stress_cells.Stressed.of(make_images(4, seed=3), 0))
    (cell,) = found["cells"]
    assert list(cell["image"]) == found["scores"] and list(cell["pixel"]) == found["maps"]
    assert found["scores"] and bool(found["maps"]) == METHODS[method].maps


def test_a_single_image(method):
    images = make_images(3, seed=3)
    scores, _ = predict(fitted(method), images)
    alone, _ = predict(fitted(method), images.subset([1]))
    assert_same({name: value[1:2] for name, value in scores.items()}, alone, rtol=1e-5, atol=1e-5)


def test_save_and_load_give_identical_scores(method, tmp_path):
    fitted(method).save(tmp_path)
    images = make_images(3, seed=3)
    loaded = load_detector(tmp_path, device="cpu")
    assert loaded.options == fitted(method).options
    for one, other in zip(predict(fitted(method), images), predict(loaded, images), strict=True):
        assert_same(one, other)


def test_seeds_repeat_and_differ(method):
    images = make_images(3, seed=3)
    scores, again, other = (
        predict(detector, images)[0]
        for detector in (fitted(method), fitted_with_labels(method)[0], make(method, seed=1).fit(NORMAL, POOL))
    )
    assert_same(scores, again)
    assert (scores["pred_score"] != other["pred_score"]).any() == METHODS[method].load().random


def test_sizes_and_channels(method):
    normal, pool = (make_images(3, 128, 3, seed=seed, name=name) for seed, name in ((1, "normal"), (2, "pool")))
    detector = make(method, size=128, channels=3).fit(normal, pool)
    scores, maps = predict(detector, make_images(2, 128, 3))
    assert np.isfinite(scores["pred_score"]).all()
    assert all(m.shape == (2, 128, 128) for m in maps.values())


def test_sixteen_bit_images_score_like_eight_bit_ones(method):
    images = make_images(3, seed=3)
    deep = replace(images, pixels=images.pixels.astype(np.uint16) * 257)
    assert_same(predict(fitted(method), images)[0], predict(fitted(method), deep)[0], rtol=1e-4, atol=1e-5)


def test_constant_images(method):
    images = make_images(2, seed=3)
    flat = replace(images, pixels=np.stack([np.zeros_like(images.pixels[0]), np.full_like(images.pixels[0], 255)]))
    scores, _ = predict(fitted(method), flat)
    assert np.isfinite(scores["pred_score"]).all()
    detector = make(method).fit(replace(images, pixels=np.zeros_like(images.pixels)))
    assert np.isfinite(predict(detector, flat)[0]["pred_score"]).all()


def test_unlabeled_images_are_optional(method):
    images = make_images(2, seed=3)
    without, given = (predict(fitted(method, unlabeled), images)[0] for unlabeled in (False, True))
    if METHODS[method].uses_unlabeled:
        assert (without["pred_score"] != given["pred_score"]).any()
    else:
        assert_same(without, given)
        assert fitted_with_labels(method)[1].count("does not use unlabeled images") == 1


def test_labels_do_not_reach_the_detector(method):
    images = make_images(3, seed=3)
    assert_same(predict(fitted_with_labels(method)[0], images)[0], predict(fitted(method), images)[0])


@pytest.mark.filterwarnings("ignore:.*held-out normal images promise")
def test_the_threshold_comes_from_held_out_normals(method, tmp_path):
    detector = make(method, holdout=0.3).fit(WHOLE)
    kept = detector.held_out_scores_
    np.testing.assert_array_equal(kept, predict(detector, HELD_OUT)[0]["pred_score"])
    assert detector.threshold_ == threshold_at_specificity(kept, 0.95)
    detector.save(tmp_path)
    np.testing.assert_array_equal(load_detector(tmp_path, device="cpu").held_out_scores_, kept)
    (prediction,) = detector.predict(WHOLE)
    np.testing.assert_array_equal(prediction.pred_label, prediction.scores["pred_score"] >= detector.threshold_)
    without = fitted(method, unlabeled=False)
    assert_same(prediction.scores, predict(without, WHOLE)[0])
    assert next(without.predict(WHOLE)).pred_label is None and without.held_out_scores_ is None


def test_fitting_again_starts_anew_and_no_unlabeled_images_are_as_good_as_none(method):
    detector = make(method).fit(make_images(3, seed=5), make_images(2, seed=6))
    detector.fit(NORMAL, POOL.subset([]))
    images, fresh = make_images(2, seed=3), fitted(method, unlabeled=False)
    assert_same(predict(detector, images)[0], predict(fresh, images)[0])
    assert detector.loss_curves_.keys() == fresh.loss_curves_.keys()


def test_impossible_input_is_refused_in_one_line(method):
    with pytest.raises(UserError, match="at least 2"):
        make_detector(method, "tiny").fit(make_images(1))
    with pytest.raises(UserError, match="expects"):
        make_detector(method, "tiny").fit(make_images(4, size=32))
    with pytest.raises(UserError, match="no such option"):
        make_detector(method, "tiny", nonsense=1)
    with pytest.raises(UserError, match="precision='fp8'"):
        make_detector(method, "tiny", precision="fp8")
    for device in ("toaster", "meta", "cuda:99"):
        with pytest.raises(UserError, match=f"device='{device}'"):
            make_detector(method, "tiny", device=device)


def test_nothing_is_predicted_or_saved_before_fit(method, tmp_path):
    detector = make_detector(method, "tiny", device="cpu")
    with pytest.raises(NotFittedError, match=f"this {method} is not fitted: call fit"):
        detector.predict(make_images(2))
    with pytest.raises(NotFittedError, match="not fitted"):
        detector.save(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_fit_that_is_refused_changes_nothing(method):
    images = make_images(2, seed=3)
    before = predict(fitted(method), images)[0]
    with pytest.raises(UserError, match="give uint8 or uint16"):
        fitted(method).fit(np.zeros((4, 64, 64)))
    assert_same(predict(fitted(method), images)[0], before)


def test_arrays_are_images(method):
    images = make_images(3, seed=3)
    (prediction,) = fitted(method).predict(images.pixels[:, 0])
    assert prediction.ids == ("0", "1", "2")
    assert_same(prediction.scores, predict(fitted(method), images)[0])


def test_presets_and_registry_agree_with_the_class(method):
    cls = METHODS[method].load()
    assert cls.name == method
    assert cls.uses_unlabeled == METHODS[method].uses_unlabeled
    assert set(cls.presets) == set(PRESETS)
    assert "Differs from the paper" in cls.__doc__
    (prediction,) = fitted(method).predict(make_images(2, seed=3))
    given = {*prediction.scores, *prediction.maps} - {"pred_score", "anomaly_map"}
    assert all(cls.meaning(name) for name in given), given
    for preset in PRESETS:
        expected = 64 if preset == "tiny" else METHODS[method].side(preset)
        assert make_detector(method, preset, device="cpu").options.size == expected
