"""What ``import medad`` offers: lazily, documented, and the way from files to figures and a saved run."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import medad
from medad.errors import UserError
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.training.run_folder import read_run
from medad.workflows.controls import read_controls

FUNCTIONS = {"controls", "evaluate", "fit", "load", "make_detector", "read_data", "read_images", "score"}


@pytest.fixture(scope="module")
def data(phantoms):
    return medad.read_data(phantoms)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api") / "run"
    detector = medad.fit(data.normal, data.unlabeled, "ae", "tiny", folder=folder, jobs=1, device="cpu", epochs=1)
    return folder, detector


def test_the_doors_are_few_and_documented():
    assert {name for name in medad.__all__ if name[0].islower()} == FUNCTIONS and len(medad.__all__) <= 13
    assert all(getattr(medad, name).__doc__ for name in medad.__all__ if name != "__version__")
    assert set(medad.__all__) <= set(dir(medad))


def test_the_reference_describes_every_public_name_and_the_site_shows_every_example():
    docs = Path(__file__).parents[1] / "docs"
    described = re.findall(r"^\.\. auto\w+:: (\w+)", (docs / "api.md").read_text(), re.MULTILINE)
    assert sorted(described) == sorted(set(medad._PUBLIC) - {"load_detector"})  # another name of load
    shown = re.findall(r"examples/(\w+\.py)$", (docs / "examples.md").read_text(), re.MULTILINE)
    assert set(shown) == {file.name for file in (docs.parent / "examples").glob("*.py")}


def test_type_checkers_are_told_of_every_public_name():
    tree = ast.parse(Path(medad.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If) and getattr(node.test, "id", "") != "")
    told = {alias.asname or alias.name: node.module for node in block.body for alias in node.names}
    assert told == {name: place.partition(":")[0] for name, place in medad._PUBLIC.items()}


def test_import_and_help_do_not_wait_for_torch():
    code = "import sys, medad.cli.commands; assert dir(medad); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'train_everything'"):
        medad.train_everything  # noqa: B018


def test_read_data_gives_what_the_commands_read(data):
    normal, unlabeled, test = data
    assert (len(normal), len(unlabeled), len(test)) == (12, 10, 16)
    assert test.masks.any() and set(test.labels) == {0, 1}


def test_read_data_without_the_other_splits(phantoms, tmp_path):
    (tmp_path / "normal").symlink_to(phantoms / "images")
    normal, unlabeled, test = medad.read_data(str(tmp_path), size=32, channels=3)
    assert normal.pixels.shape[1:] == (3, 32, 32) and unlabeled is None and test is None


def test_the_size_is_that_of_the_images():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32), dtype=np.uint8)
    detector = medad.fit(pixels, method="ae", preset="tiny", jobs=1, device="cpu", epochs=1)
    assert (detector.options.size, detector.options.channels) == (32, 1)
    assert len(medad.score(detector, pixels)) == 8


def test_a_run_from_python_is_one_for_the_commands(run, data):
    folder, detector = run
    described = read_run(folder)
    assert described["config"]["options"] == {"epochs": 1} and described["config"]["preset"] == "tiny"
    assert described["versions"] and described["map_scale"] and read_controls(folder, 64)
    scores = [medad.score(fitted, data.test).columns["pred_score"] for fitted in (detector, medad.load(folder))]
    np.testing.assert_array_equal(*scores)


def test_a_finished_run_is_not_trained_again(run, data, monkeypatch):
    folder, _ = run
    again = dict(method="ae", preset="tiny", folder=folder, jobs=1, device="cpu", epochs=1)
    with pytest.raises(UserError, match="already holds a run"):
        medad.fit(data.normal, data.unlabeled, **again)
    monkeypatch.setattr("medad.detectors.contract.training.train_phases", None)
    assert medad.fit(data.normal, data.unlabeled, resume=True, **again).networks_


def test_an_unknown_option_is_told_before_anything_is_written(data, tmp_path):
    with pytest.raises(UserError, match="epoch.* did you mean epochs"):
        medad.fit(data.normal, method="ae", preset="tiny", folder=tmp_path / "run", epoch=1)
    assert not (tmp_path / "run").exists()


def test_figures_and_controls_with_their_intervals(run, data):
    _, detector = run
    table = medad.score(detector, data.test)
    controls = medad.controls(*data)
    figures = medad.evaluate(table, controls)
    labels, values = data.test.labels, table.columns["pred_score"]
    row = figures["image"]["pred_score"]
    assert row["auroc"] == auroc(labels, values)
    assert row["auroc_ci"] == list(auroc_interval(labels, values[None], None))
    assert figures["controls"]["thumbnail"]["auroc"] == auroc(labels, controls.columns["thumbnail"])
    assert not figures["pixel"] and "controls" not in medad.evaluate(table)


def test_figures_of_pixels(run, data):
    _, detector = run
    maps = np.concatenate([p.maps["anomaly_map"] for p in detector.predict(data.test)])
    figures = medad.evaluate(medad.score(detector, data.test), masks=data.test.masks, maps={"anomaly_map": maps})
    assert 0 < figures["pixel"]["anomaly_map"]["auroc"] < 1


def test_no_figures_without_labels(run, data):
    _, detector = run
    with pytest.raises(UserError, match="no labels"):
        medad.evaluate(medad.score(detector, data.test.unlabelled()))
