"""Folds depend on what images show; patients and equal images stay together."""

import numpy as np
import pytest
from helpers import make_images

from medad.detectors.contract.division import Division
from medad.detectors.contract.plan import Plan, TrainingData

NORMAL, POOL = make_images(30, 32, seed=1).pixels, make_images(20, 32, seed=2).pixels


def divide(folder, normal=NORMAL, pool=POOL, patients=None, seed=0):
    """Return the division of a training on these images."""
    files = (folder / "normal.npy", folder / "unlabeled.npy")
    for file, pixels in zip(files, (normal, pool), strict=True):
        np.save(file, pixels)
    return Division.of(Plan(None, TrainingData(files, (len(normal), len(pool)), ("", ""), patients), folder, seed))


def numbers(division):
    """Return the fold in which each image is left out."""
    found = np.full(len(division.pool), -1)
    for k, (train, test) in enumerate(division.folds):
        found[test] = k
        assert sorted([*train, *test]) == list(range(len(found)))
    return found


def test_the_order_does_not_matter_and_the_seed_does(tmp_path):
    order = np.random.default_rng(0).permutation(30)
    first, other = divide(tmp_path), divide(tmp_path, NORMAL[order])
    np.testing.assert_array_equal(numbers(first)[:30][order], numbers(other)[:30])
    np.testing.assert_array_equal(numbers(first)[30:], numbers(other)[30:])
    rows = np.arange(50)[:, None]
    again = np.concatenate([order, rows[30:, 0]])[:, None]
    for k in range(5):
        one, two = first.data(rows, k, 0), other.data(again, k, 0)
        for name in ("normal", "unlabeled", "held_normal", "held_unlabeled"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))  # in the same order, too
    assert (numbers(first) != numbers(divide(tmp_path, seed=1))).any()


def test_the_order_does_not_matter_where_patients_are_known(tmp_path):
    patients = tuple(f"p{i // 3}" for i in range(30)) + ("",) * 20
    order = np.random.default_rng(0).permutation(30)
    first = numbers(divide(tmp_path, patients=patients))
    shuffled = tuple(patients[i] for i in order) + patients[30:]
    other = numbers(divide(tmp_path, NORMAL[order], patients=shuffled))
    np.testing.assert_array_equal(first[:30][order], other[:30])
    for patient in set(patients) - {""}:
        assert len({fold for fold, name in zip(first, patients, strict=True) if name == patient}) == 1


def test_folds_hold_as_many_of_each_pool(tmp_path):
    division = divide(tmp_path)
    assert [list(np.bincount(division.pool[test])) for _, test in division.folds] == [[6, 4]] * 5


def test_equal_images_stay_together_in_both_pools_and_over_patients(tmp_path):
    pool = POOL.copy()
    pool[:5], pool[5] = NORMAL[:5], pool[6]
    patients = ("a", "", "", *("",) * 27, "", "b", *("",) * 17, "b")  # normal 1 is unlabeled 1, whose patient is b
    found = numbers(divide(tmp_path, pool=pool, patients=patients))
    np.testing.assert_array_equal(found[:5], found[30:35])
    assert found[35] == found[36] and found[1] == found[31] == found[49]


def test_the_same_images_as_both_pools(tmp_path):
    found = numbers(divide(tmp_path, pool=NORMAL))
    np.testing.assert_array_equal(found[:30], found[30:])


@pytest.mark.parametrize(("normal", "pool", "folds"), [(30, 3, 3), (2, 20, 2), (30, 1, 0), (1, 20, 0)])
def test_few_images_make_few_folds(tmp_path, normal, pool, folds):
    assert len(divide(tmp_path, NORMAL[:normal], POOL[:pool]).folds) == folds


def test_equal_images_alone_make_none(tmp_path):
    assert not divide(tmp_path, np.zeros_like(NORMAL), np.zeros_like(POOL)).folds
    assert not divide(tmp_path, patients=("a",) * 50).folds


def test_what_a_model_may_look_at(tmp_path):
    patients = tuple(f"p{i // 2}" for i in range(50))
    division = divide(tmp_path, patients=patients)
    data = division.data(np.arange(50)[:, None], 0, 7)
    learned, held = data.rows[:, 0], data.held[:, 0]
    assert sorted([*learned, *held]) == list(range(50)) and data.seed == 7
    assert not {patients[i] for i in learned} & {patients[i] for i in held}
    np.testing.assert_array_equal(data.pool, learned >= 30)
    np.testing.assert_array_equal(data.groups, division.groups[learned])
