"""The law for every detector: each registered method passes the same checks with preset tiny."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from helpers import make_images

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.holdout import split_holdout
from medad.detectors.registry import METHODS, PRESETS, load_detector, make_detector
from medad.errors import NotFittedError, UserError
from medad.evaluation.calibration import threshold_at_specificity

pytestmark = pytest.mark.parametrize("method", METHODS)


def fit(method: str, unlabeled: bool = True, seed: int = 0, **options: object) -> Detector:
    size, channels = options.get("size", 64), options.get("channels", 1)
    normal = make_images(12, size, channels, seed=1, name="normal")
    pool = make_images(6, size, channels, seed=2, name="pool") if unlabeled else None
    return make_detector(method, "tiny", seed=seed, device="cpu", jobs=1, **options).fit(normal, pool)


@cache
def fitted(method: str) -> Detector:
    return fit(method)


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
        assert_same(one, other, rtol=1e-5, atol=1e-5)


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
    scores = [predict(fit(method, seed=seed), images)[0] for seed in (0, 1)]
    assert_same(scores[0], predict(fitted(method), images)[0])
    assert (scores[0]["pred_score"] != scores[1]["pred_score"]).any() == METHODS[method].load().random


@pytest.mark.parametrize("options", [{"size": 128}, {"channels": 3}], ids=str)
def test_sizes_and_channels(method, options):
    detector = fit(method, **options)
    scores, maps = predict(detector, make_images(2, options.get("size", 64), options.get("channels", 1)))
    assert np.isfinite(scores["pred_score"]).all()
    assert all(m.shape[1:] == (detector.options.size,) * 2 for m in maps.values())


def test_sixteen_bit_images_score_like_eight_bit_ones(method):
    images = make_images(3, seed=3)
    deep = replace(images, pixels=images.pixels.astype(np.uint16) * 257)
    assert_same(predict(fitted(method), images)[0], predict(fitted(method), deep)[0], rtol=1e-4, atol=1e-5)


def test_constant_images(method):
    images = make_images(2, seed=3)
    flat = replace(images, pixels=np.stack([np.zeros_like(images.pixels[0]), np.full_like(images.pixels[0], 255)]))
    scores, _ = predict(fitted(method), flat)
    assert np.isfinite(scores["pred_score"]).all()
    normal = replace(images, pixels=np.zeros_like(images.pixels))
    detector = make_detector(method, "tiny", device="cpu", jobs=1).fit(normal)
    assert np.isfinite(predict(detector, flat)[0]["pred_score"]).all()


def test_unlabeled_images_are_optional(method, capsys):
    without = predict(fit(method, unlabeled=False), make_images(2, seed=3))[0]
    capsys.readouterr()
    given = predict(fit(method), make_images(2, seed=3))[0]
    if METHODS[method].uses_unlabeled:
        assert (without["pred_score"] != given["pred_score"]).any()
    else:
        assert_same(without, given)
        assert capsys.readouterr().err.count("does not use unlabeled images") == 1


def test_no_unlabeled_images_are_as_good_as_none(method):
    detector = make_detector(method, "tiny", device="cpu", jobs=1)
    detector.fit(make_images(12, seed=1, name="normal"), make_images(6).subset([]))
    images = make_images(2, seed=3)
    assert_same(predict(detector, images)[0], predict(fit(method, unlabeled=False), images)[0])


def test_labels_do_not_reach_the_detector(method):
    normal, pool = make_images(12, seed=1, name="normal"), make_images(6, seed=2, name="pool")
    labels = np.array([0, 1, 0, 1, 1, 0], np.int8)
    masks = np.ones((6, 64, 64), bool)
    pool = replace(pool, labels=labels, masks=masks, kinds=("lesion",) * 6)
    detector = make_detector(method, "tiny", device="cpu", jobs=1).fit(normal, pool)
    images = make_images(3, seed=3)
    assert_same(predict(detector, images)[0], predict(fitted(method), images)[0])


@pytest.mark.filterwarnings("ignore:.*held-out normal images promise")
def test_the_threshold_comes_from_held_out_normals(method, tmp_path):
    normal = make_images(20, seed=1)
    train, held_out = split_holdout(normal, 0.3, seed=0)
    detector = make_detector(method, "tiny", device="cpu", jobs=1, holdout=0.3).fit(normal)
    kept = detector.held_out_scores_
    np.testing.assert_array_equal(kept, predict(detector, held_out)[0]["pred_score"])
    assert detector.threshold_ == threshold_at_specificity(kept, 0.95)
    detector.save(tmp_path)
    np.testing.assert_array_equal(load_detector(tmp_path, device="cpu").held_out_scores_, kept)
    (prediction,) = detector.predict(normal)
    np.testing.assert_array_equal(prediction.pred_label, prediction.scores["pred_score"] >= detector.threshold_)
    same = make_detector(method, "tiny", device="cpu", jobs=1).fit(train)
    assert_same(predict(detector, normal)[0], predict(same, normal)[0])
    assert next(fitted(method).predict(normal)).pred_label is None and fitted(method).held_out_scores_ is None


def test_fitting_again_starts_anew(method):
    detector = make_detector(method, "tiny", device="cpu", jobs=1).fit(make_images(9, seed=5), make_images(5, seed=6))
    detector.fit(make_images(12, seed=1, name="normal"))
    images = make_images(2, seed=3)
    fresh = fit(method, unlabeled=False)
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
        assert make_detector(method, preset, device="cpu").options.size == 64
