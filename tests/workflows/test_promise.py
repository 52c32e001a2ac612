"""What is promised about a list: on which normal images, at which rate, in which words."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from medad.errors import OptionError, UserError
from medad.evaluation.promises.abnormal_share import abnormal_share
from medad.evaluation.promises.discoveries import q_values
from medad.evaluation.promises.false_alarms import false_alarms
from medad.evaluation.scores import ScoreTable
from medad.workflows.calibration_set import CalibrationSet, numbered, read_calibration, write_calibration
from medad.workflows.promise import Promise
from medad.workflows.promise_words import told, told_of

PROMISE = Promise(np.arange(99.0), 95.0)


def detector(held_out=None, threshold=None):
    return SimpleNamespace(held_out_scores_=held_out, threshold_=threshold)


def local(name="ward", count=40, patients=None):
    looks = np.random.default_rng(0).random((count, 3), np.float32)
    return CalibrationSet(name, np.arange(count), numbered(patients, count), np.linspace(0, 1, count), looks)


def test_a_set_comes_back_as_it_was(tmp_path):
    calibration = local(patients=tuple(f"{i // 2}" for i in range(40)))
    path = write_calibration(tmp_path, calibration)
    back = read_calibration(tmp_path, "ward")
    assert path == tmp_path / "calibration" / "ward.safetensors"
    for name in ("digests", "patients", "image_scores", "looks"):
        np.testing.assert_array_equal(getattr(back, name), getattr(calibration, name))
    np.testing.assert_array_equal(np.sort(back.scores), calibration.image_scores[1::2])


def test_sets_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="no calibration set ward; medad calibrate makes one"):
        read_calibration(tmp_path, "ward")
    write_calibration(tmp_path, local())
    with pytest.raises(UserError, match="no calibration set wrad; there are ward; did you mean ward"):
        read_calibration(tmp_path, "wrad")
    with pytest.raises(OptionError, match="choose letters"):
        read_calibration(tmp_path, "../ward")
    (tmp_path / "calibration" / "ward.safetensors").write_bytes(b"not a file of tensors")
    with pytest.raises(UserError, match=r"ward.safetensors"):
        read_calibration(tmp_path, "ward")
    write_calibration(tmp_path, replace(local(), image_scores=np.full(40, np.nan)))
    with pytest.raises(UserError, match="calibrate again"):
        read_calibration(tmp_path, "ward")


def test_the_usual_promise_is_that_of_the_run(tmp_path):
    held_out = np.arange(19.0)
    found = Promise.of_run(tmp_path, detector(held_out, 18.5))
    assert (found.threshold, found.alarms, found.calibration) == (18.5, None, None)
    said = " ".join(told(found))
    assert "19 normal images held out from training" in said and "at most 5 % abnormal." in said


def test_another_rate_has_another_threshold(tmp_path):
    held_out = np.arange(199.0)
    found = Promise.of_run(tmp_path, detector(held_out, 190.5), rate=0.1)
    assert found.threshold == false_alarms(held_out, 0.1).threshold < 190.5
    said = " ".join(told(found))
    assert "at most 10 % abnormal (this very threshold: " in said
    with pytest.raises(UserError, match="hold out at least 999"):
        Promise.of_run(tmp_path, detector(held_out, 190.5), rate=0.001)
    with pytest.raises(UserError, match="no normal images were held out to promise anything on; see medad calibrate"):
        Promise.of_run(tmp_path, detector(), rate=0.1)
    with pytest.raises(OptionError, match="between 0 and 1"):
        Promise.of_run(tmp_path, detector(held_out, 190.5), rate=1.5)


def test_a_calibration_set_takes_the_place_of_the_images_held_out(tmp_path):
    write_calibration(tmp_path, local(patients=tuple(f"{i // 2}" for i in range(40))))
    there = detector(np.arange(100.0), 95.0)
    found = Promise.of_run(tmp_path, there, "ward")
    assert len(found.scores) == 20 and found.threshold == np.nextafter(1.0, 2)
    assert "20 normal patients of the calibration set ward" in " ".join(told(found))
    found.decide(there)
    assert there.threshold_ == found.threshold and there.held_out_scores_ is found.scores


def test_without_normal_images_nothing_is_promised():
    (said,) = told(Promise(None, None))
    assert "Nothing is promised" in said and "medad calibrate" in said


def table_of(p, scores):
    return ScoreTable(tuple(map(str, range(100))), None, {"pred_score": scores}, p_value=p, q_value=q_values(p))


def test_a_list_says_how_many_of_its_images_are_normal_at_most():
    p = np.concatenate([np.full(31, 1 / 1000), np.linspace(0.2, 1, 69)])
    table = table_of(p, np.zeros(100))
    (said,) = told_of(PROMISE, table)
    assert "Of these 31 images at most 3.1 are expected to be normal." in said
    none = np.full(100, 1.0)
    (said,) = told_of(PROMISE, replace(table, p_value=none, q_value=none))
    assert "None has. To put a single image of 100 on it takes 999 such normal images" in said
    assert list(told_of(PROMISE, replace(table, p_value=None, q_value=None))) == []


def test_a_pool_says_how_many_of_its_images_are_abnormal_at_least():
    many = Promise(np.arange(400.0), 390.0)
    table = table_of(np.full(100, 1.0), np.concatenate([np.full(60, 1000.0), np.linspace(0, 399, 40)]))
    _, said = told_of(many, table)
    least = abnormal_share(many.scores, table.columns["pred_score"]).at_least
    assert 0.2 < least < 0.6 and f"At least {100 * least:.2g} % of all 100 images are abnormal: a lower bound" in said


def test_images_are_judged_by_those_of_their_class(tmp_path):
    views = ("pa",) * 19 + ("ap",) * 19 + ("",) * 2
    scores = np.concatenate([np.arange(19.0), 100 + np.arange(19.0), [500.0, 501.0]])
    write_calibration(tmp_path, replace(local(), image_scores=scores, classes={"view": views}))
    assert read_calibration(tmp_path, "ward").classes == {"view": views}
    found = Promise.of_run(tmp_path, detector(), "ward", by="view")
    images = np.array([50.0, 50.0, 50.0, 119.0])
    table = ScoreTable(tuple("abcd"), None, {"pred_score": images}, pred_label=np.zeros(4, int))
    judged = found.judged(table, {"view": ("pa", "ap", "lateral", "ap")})
    np.testing.assert_allclose(judged.p_value, [1 / 20, 1, 22 / 41, 1 / 20])
    np.testing.assert_array_equal(judged.pred_label, [1, 0, 0, 1])
    said = " ".join(told(found))
    assert "of the same view: ap from 118 on (19 normal images or patients, at most 5 % false alarms), pa" in said
    plain = found.judged(table)  # nothing is known of them
    np.testing.assert_allclose(plain.p_value, [22 / 41] * 3 + [3 / 41])


def test_classes_that_nobody_knows_are_refused(tmp_path):
    write_calibration(tmp_path, local())
    for given, problem in (
        ({"by": "view"}, "--calibration NAME"),
        ({"calibration": "ward", "by": "view"}, "do not tell theirs"),
        ({"calibration": "ward", "by": "sex"}, "manufacturer"),
    ):
        with pytest.raises(OptionError, match=problem):
            Promise.of_run(tmp_path, detector(np.arange(40.0), 39.0), **given)
