"""Phantom images: anatomy, lesions, splits and leaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medad.data.phantom import lesions
from medad.data.phantom.anatomy import depth, draw_patient, head_coordinates, render
from medad.data.phantom.benchmark import NORMAL, draw_phantom, phantom_benchmark
from medad.data.phantom.lesions import KINDS, LEVELS, MOVED, add_lesion, draw_lesion
from medad.errors import UserError

keys = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(0, 10_000))
kinds = st.sampled_from(KINDS)
levels = st.sampled_from(list(LEVELS))


def scene(key, kind, size=64, level="subtle"):
    """Return what `draw_phantom` draws before it renders: patient, lesion, x, y."""
    of_patient, of_lesion, _ = np.random.default_rng(key).spawn(3)
    patient = draw_patient(of_patient)
    return patient, draw_lesion(of_lesion, kind, patient, level), *head_coordinates(patient, size)


@settings(max_examples=80)
@given(keys, kinds, st.sampled_from([32, 47, 64, 128]), st.sampled_from([1, 3]), levels)
def test_only_the_lesion_differs_from_the_healthy_twin(key, kind, size, channels, level):
    sick, twin = draw_phantom(key, kind, size, channels, level), draw_phantom(key, NORMAL, size, channels)
    assert sick.image.shape == (channels, size, size) and sick.image.dtype == np.uint8
    np.testing.assert_array_equal(sick.image[:, ~sick.support], twin.image[:, ~sick.support])
    assert sick.mask.any() and not (sick.mask & ~sick.support).any() and not twin.mask.any()
    assert kind == "deformation" or (sick.mask == sick.support).all()
    assert (sick.image[:, sick.mask] != twin.image[:, sick.mask]).any()


@settings(max_examples=80)
@given(keys, kinds, levels)
def test_lesions_lie_inside_the_brain(key, kind, level):
    patient, _, x, y = scene(key, kind)
    brain = depth(patient, x, y) > patient.gap
    assert not (draw_phantom(key, kind, level=level).support & ~brain).any()


@settings(max_examples=30)
@given(keys, st.sampled_from(["bright", "dark", "texture"]))
def test_plain_lesions_are_wider_and_stronger_at_the_same_place_or_nearer_to_the_middle(key, kind):
    (_, subtle, *_), (_, plain, *_) = scene(key, kind), scene(key, kind, level="plain")
    assert plain.radius == pytest.approx(1.5 * subtle.radius)
    assert plain.strength > subtle.strength
    assert np.hypot(*plain.centre) <= np.hypot(*subtle.centre) + 1e-9


@settings(max_examples=40)
@given(keys, st.sampled_from(["bright", "dark", "texture"]))
def test_change_of_intensity_has_the_sign_of_its_kind(key, kind):
    patient, lesion, x, y = scene(key, kind)
    change = add_lesion(patient, lesion, x, y, 64)[0] - render(patient, x, y, 64)
    if kind == "texture":
        assert abs(change.sum()) < 1e-9 and np.abs(change).max() > 0.02
    else:
        assert (change * {"bright": 1, "dark": -1}[kind] >= 0).all()


@settings(max_examples=30)
@given(keys)
def test_deformation_neither_folds_nor_misses_its_mask(key):
    patient, lesion, x, y = scene(key, "deformation", 128)
    with pytest.MonkeyPatch.context() as patch:  # a slice that shows its own coordinates
        patch.setattr(lesions, "render", lambda patient, x, y, size: x)
        to_x, mask, support = add_lesion(patient, lesion, x, y, 128)
        patch.setattr(lesions, "render", lambda patient, x, y, size: y)
        to_y = add_lesion(patient, lesion, x, y, 128)[0]
    moved = np.hypot(to_x - x, to_y - y)
    np.testing.assert_array_equal(mask, binary_fill_holes(moved >= MOVED))
    assert not moved[~support].any()
    (x_by_row, x_by_column), (y_by_row, y_by_column) = np.gradient(to_x), np.gradient(to_y)
    assert (x_by_column * y_by_row - x_by_row * y_by_column > 0).all()


@pytest.mark.parametrize("kind", [NORMAL, *KINDS])
def test_size_changes_resolution_not_anatomy(kind):
    for index in range(5):
        small, large = draw_phantom((0, 3, index), kind, 64), draw_phantom((0, 3, index), kind, 192)
        shrunk = large.image[0].reshape(64, 3, 64, 3).mean((1, 3))
        assert np.corrcoef(shrunk.ravel(), small.image.ravel())[0, 1] > 0.96
        assert np.mean((large.mask.reshape(64, 3, 64, 3).mean((1, 3)) >= 0.5) != small.mask) < 0.01


def test_more_images_leave_the_earlier_ones_alone():
    few = phantom_benchmark(size=32, normal=3, unlabeled=5, test=(2, 3), seed=7)
    more = phantom_benchmark(size=32, normal=6, unlabeled=11, test=(4, 5), seed=7)
    for split in ("normal", "unlabeled", "test"):
        small, large = getattr(few, split), getattr(more, split)
        rows = [large.ids.index(name) for name in small.ids]
        assert large.subset(rows).fingerprint == small.fingerprint
        assert large.subset(rows).kinds == small.kinds
    assert phantom_benchmark(32, 1, 3, 5, 0.6, (2, 3), 8).normal.fingerprint != few.normal.fingerprint


def test_no_two_patients_are_alike():
    made = phantom_benchmark(size=32, normal=20, unlabeled=20, test=(20, 20))
    pixels = np.concatenate([images.pixels for images in (made.normal, made.unlabeled, made.test)])
    assert len(np.unique(pixels.reshape(len(pixels), -1), axis=0)) == 80


@settings(max_examples=20)
@given(st.integers(0, 12), st.floats(0, 1))
def test_unlabeled_hold_the_anomaly_rate_at_every_length(count, rate):
    images = phantom_benchmark(size=32, normal=0, unlabeled=count, anomaly_rate=rate, test=(0, 0)).unlabeled
    abnormal = np.cumsum(images.labels)
    assert (np.abs(abnormal - rate * np.arange(1, count + 1)) <= 0.5 + 1e-6).all()
    np.testing.assert_array_equal(images.labels == 1, images.masks.any((1, 2)))
    of_kind = [images.kinds.count(kind) for kind in KINDS]
    assert max(of_kind) - min(of_kind) <= 1 and sum(of_kind) == images.labels.sum()


def describe(pixels):
    """Return what a classifier without any notion of place or form could look at."""
    grey = pixels[:, 0].astype(float)
    return {
        "mean intensity": grey.mean((1, 2))[:, None],
        "histogram": np.stack([np.histogram(image, 32, (0, 256))[0] for image in grey]),
        "8 x 8 thumbnail": grey.reshape(len(grey), 8, 8, 8, 8).mean((2, 4)).reshape(len(grey), -1),
    }


def test_no_leak():
    """A trivial classifier stays near chance on the default test set (its standard error is 0.03)."""
    test = phantom_benchmark(normal=0, unlabeled=0).test
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    for name, features in describe(test.pixels).items():
        auc = cross_val_score(model, features, test.labels, cv=10, scoring="roc_auc").mean()
        print(f"leak: {name}: cross-validated AUC {auc:.3f}")
        assert auc < 0.65


@pytest.mark.parametrize(
    "options",
    [
        {"size": 31},
        {"channels": 2},
        {"normal": -1},
        {"test": (1, -1)},
        {"seed": -1},
        {"anomaly_rate": 1.1},
        {"level": "hard"},
    ],
)
def test_arguments_out_of_range(options):
    with pytest.raises(UserError, match="phantom images"):
        phantom_benchmark(**options)
