"""Controls: what each score is, on which images it stands, and that every image set can be scored."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_images
from scipy.spatial.distance import cdist
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.evaluation import controls as module
from medad.evaluation.controls import CONTROLS, STATISTICS, Controls, control_figures, is_control
from medad.evaluation.image_statistics import image_statistics

FORMS = [(64, 1, np.uint8), (128, 3, np.uint8), (64, 3, np.uint16), (128, 1, np.uint16)]
WITHOUT_FILES = {name for name in CONTROLS if not name.startswith("file_size")}


def brighter(images, by=60):
    """Return the same images, the upper half brighter."""
    pixels = images.pixels.astype(np.int64)
    pixels[:, :, : pixels.shape[2] // 2] += by * np.iinfo(images.pixels.dtype).max // 255
    return replace(images, pixels=pixels.clip(0, np.iinfo(images.pixels.dtype).max).astype(images.pixels.dtype))


@pytest.mark.parametrize(("size", "channels", "dtype"), FORMS)
def test_scores_against_their_definitions(size, channels, dtype):
    normal, test = (make_images(n, size, channels, seed, dtype=dtype) for n, seed in ((9, 0), (5, 1)))
    scores = Controls.fit(normal).scores(test)
    known, found = image_statistics(normal), image_statistics(test)
    assert set(scores) == {"mean_intensity", "mean_gradient", "thumbnail", "pixels"}
    for name in ("mean_intensity", "mean_gradient"):
        centre = np.median(known[name])
        spread = np.median(np.abs(known[name] - centre))
        np.testing.assert_allclose(scores[name], np.abs(found[name][:, 0] - centre) / spread, rtol=1e-4)
    for name in ("thumbnail", "pixels"):  # the normals are kept in half precision
        np.testing.assert_allclose(scores[name], cdist(found[name], known[name]).min(axis=1), rtol=1e-3)


@pytest.mark.parametrize(("size", "channels", "dtype"), FORMS)
def test_the_regressions_find_what_the_unlabeled_hold(size, channels, dtype):
    normal, pool, test = (make_images(20, size, channels, seed, dtype=dtype) for seed in range(3))
    unlabeled = replace(pool, pixels=np.concatenate([pool.pixels[:8], brighter(pool).pixels[8:]]))
    fitted = Controls.fit(normal, unlabeled)
    before, after = fitted.scores(test), fitted.scores(brighter(test))
    assert set(before) == WITHOUT_FILES
    for name in ("mean_intensity_nu", "thumbnail_nu", "pixels_nu"):
        assert (after[name] > before[name]).all()


def test_labels_of_unlabeled_images_are_not_looked_at():
    normal, unlabeled = make_images(12), make_images(12, seed=1)
    fitted = [Controls.fit(normal, replace(unlabeled, labels=labels)).state() for labels in (None, np.arange(12) % 2)]
    assert fitted[0].keys() == fitted[1].keys()
    for name, values in fitted[0].items():
        np.testing.assert_array_equal(values, fitted[1][name])


@pytest.mark.parametrize("count", [1, 6, 50])
@pytest.mark.parametrize("channels", [1, 3])
def test_constant_images_give_numbers(count, channels):
    pixels = np.full((count, channels, 64, 64), 77, np.uint8)
    images = replace(make_images(count, channels=channels), pixels=pixels)
    scores = Controls.fit(images, images).scores(images)
    assert set(scores) == WITHOUT_FILES
    assert all(len(np.unique(values)) == 1 and np.isfinite(values).all() for values in scores.values())


def test_a_normal_image_lies_nowhere_but_where_it_is():
    normal = make_images(30)
    scores = Controls.fit(normal).scores(normal)
    assert (scores["pixels"] < 0.01).all()
    one = Controls.fit(normal.subset([0]))
    assert one.scores(normal)["mean_intensity"][0] == 0 and one.scores(normal)["mean_intensity"][1] > 0


@pytest.fixture(scope="module")
def fitted():
    """Controls of 9 normal and 7 unlabeled images of side 64."""
    return Controls.fit(make_images(9), make_images(7, seed=1))


def test_file_sizes_where_there_are_files(tmp_path):
    images = make_images(3)
    for i, name in enumerate(images.ids):
        (tmp_path / name).write_bytes(b"x" * (100 + i))
    sized = replace(images, paths=tuple(str(tmp_path / name) for name in images.ids))
    assert set(Controls.fit(sized, sized).scores(sized)) == set(CONTROLS)
    assert set(Controls.fit(sized, images).scores(sized)) == WITHOUT_FILES | {"file_size"}
    assert set(Controls.fit(sized, sized).scores(images)) == WITHOUT_FILES
    assert set(Controls.fit(images, sized).scores(sized)) == WITHOUT_FILES


def test_blocks_change_nothing(fitted, monkeypatch):
    test = make_images(5, seed=1)
    whole = fitted.scores(test)
    monkeypatch.setattr(module, "_BLOCK", 2)
    for name, values in fitted.scores(test).items():
        np.testing.assert_array_equal(values, whole[name])


def test_few_are_kept_evenly_spaced(monkeypatch):
    images = make_images(9)
    monkeypatch.setattr(module, "MOST_IMAGES", 3)
    few, same = (Controls.fit(some, some).state() for some in (images, images.subset([0, 4, 8])))
    for name, values in few.items():
        np.testing.assert_array_equal(values, same[name])


def test_what_was_fitted_comes_back(fitted):
    test = make_images(5, seed=2)
    again = Controls.from_state(fitted.state(), 64)
    for name, values in fitted.scores(test).items():
        np.testing.assert_array_equal(again.scores(test)[name], values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("normals/other", np.ones((1, 1))),
        ("weights/../pixels", np.ones(1025)),
        ("normals/pixels", np.ones((3, 1023))),
        ("normals/pixels", np.ones((2001, 1024))),
        ("normals/pixels", np.ones((0, 1024))),
        ("normals/pixels", np.float64(1)),
        ("normals/mean_intensity", np.full((3, 1), np.nan)),
        ("weights/thumbnail", np.ones(64)),
        ("weights/thumbnail", np.full(65, np.inf)),
        ("normals/thumbnail", None),
    ],
)
def test_what_no_controls_are_is_refused(name, value, fitted):
    state = fitted.state() | {name: value}
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        Controls.from_state({name: values for name, values in state.items() if values is not None}, 64)


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="side 20"):
        Controls.from_state(Controls.fit(make_images(3)).state(), 20)


def test_the_table_names_its_primary_score_by_a_fixed_rule(fitted):
    test = replace(make_images(5, seed=2), patients=("Doe", "Doe", "", "Roe", "Doe"))
    assert Controls.fit(make_images(9)).table(test).primary == "thumbnail"
    table = fitted.table(test)
    assert table.primary == "thumbnail_nu" and table.patients == ("1", "1", "", "2", "1")
    assert list(table.shown_rows) == [name for name in CONTROLS if name in WITHOUT_FILES]


def test_figures_are_those_of_scikit_learn(fitted):
    test = replace(make_images(16, seed=2), labels=np.arange(16) % 2)
    table = fitted.table(test)
    figures = control_figures(table)
    assert set(figures) == WITHOUT_FILES
    for name, row in figures.items():
        assert row["auroc"] == pytest.approx(roc_auc_score(test.labels, table.columns[name]))
        assert row["ap"] == pytest.approx(average_precision_score(test.labels, table.columns[name]))
        assert set(row) == {"auroc", "auroc_ci", "ap", "ap_ci"} and len(row["auroc_ci"]) == 2


def test_names():
    assert len(CONTROLS) == 2 * len(STATISTICS) and all(map(is_control, CONTROLS))
    assert not is_control("a_rec") and not is_control("pred_score")
