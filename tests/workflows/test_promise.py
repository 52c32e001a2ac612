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
    told = " ".join(found.told())
    assert "19 normal images held out from training" in told and "at most 5 % abnormal." in told


def test_another_rate_has_another_threshold(tmp_path):
    held_out = np.arange(199.0)
    found = Promise.of_run(tmp_path, detector(held_out, 190.5), rate=0.1)
    assert found.threshold == false_alarms(held_out, 0.1).threshold < 190.5
    told = " ".join(found.told())
    assert "at most 10 % abnormal (this very threshold: " in told
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
    assert "20 normal patients of the calibration set ward" in " ".join(found.told())
    found.decide(there)
    assert there.threshold_ == found.threshold and there.held_out_scores_ is found.scores


def test_without_normal_images_nothing_is_promised():
    (told,) = Promise(None, None).told()
    assert "Nothing is promised" in told and "medad calibrate" in told


def table_of(p, scores):
    return ScoreTable(tuple(map(str, range(100))), None, {"pred_score": scores}, p_value=p, q_value=q_values(p))


def test_a_list_says_how_many_of_its_images_are_normal_at_most():
    p = np.concatenate([np.full(31, 1 / 1000), np.linspace(0.2, 1, 69)])
    table = table_of(p, np.zeros(100))
    (told,) = PROMISE.told_of(table)
    assert "Of these 31 images at most 3.1 are expected to be normal." in told
    none = np.full(100, 1.0)
    (told,) = PROMISE.told_of(replace(table, p_value=none, q_value=none))
    assert "None has. To put a single image of 100 on it takes 999 such normal images" in told
    assert list(PROMISE.told_of(replace(table, p_value=None, q_value=None))) == []


def test_a_pool_says_how_many_of_its_images_are_abnormal_at_least():
    many = Promise(np.arange(400.0), 390.0)
    table = table_of(np.full(100, 1.0), np.concatenate([np.full(60, 1000.0), np.linspace(0, 399, 40)]))
    _, told = many.told_of(table)
    least = abnormal_share(many.scores, table.columns["pred_score"]).at_least
    assert 0.2 < least < 0.6 and f"At least {100 * least:.2g} % of all 100 images are abnormal: a lower bound" in told
