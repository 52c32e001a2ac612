"""Stored controls: what is written, and who finds it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.controls import CONTROLS, Controls, is_control
from medad.experiments.stored import stored, stored_controls
from medad.experiments.studies import controls as module
from medad.experiments.studies.controls import store_controls, store_phantoms

RESULTS = Path(__file__).parents[3] / "docs" / "results"
DATA = os.environ.get("MEDAD_DATA")


def test_what_is_stored_is_read_with_six_digits(phantoms, tmp_path):
    folder = store_controls(phantoms.name, phantoms.parent, tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == ["about.yaml", "scores.csv"]
    table = stored_controls(phantoms.name, tmp_path)
    sets = Repartition.read(phantoms)
    normal, pool, test = (
        load_images(entries, Preprocessing(64, 1)).images for entries in (sets.normal, sets.unlabeled, sets.test)
    )
    expected = Controls.fit(normal, pool).table(test)
    assert table.image_path == test.ids and table.kinds == test.kinds and table.primary == "thumbnail_nu"
    np.testing.assert_array_equal(table.gt_label, test.labels)
    assert tuple(filter(is_control, table.columns)) == CONTROLS
    for name, values in table.columns.items():
        np.testing.assert_allclose(values, expected.columns[name], rtol=1e-5)
    cells = (folder / "scores.csv").read_text().splitlines()[1].split(",")[2:-1]
    assert all(len(cell.strip("-").split("e")[0].replace(".", "").lstrip("0")) <= 6 for cell in cells)


def test_they_are_no_run_and_tell_how_they_came_about(phantoms, tmp_path):
    folder = store_controls(phantoms.name, phantoms.parent, tmp_path, seed=3)
    assert folder == tmp_path / "phantoms" / "controls" / "seed3"
    assert list(stored("phantoms", tmp_path)) == []
    assert stored_controls("phantoms", tmp_path) is None and stored_controls("phantoms", tmp_path, seed=3)
    text = (folder / "about.yaml").read_text()
    about = yaml.safe_load(text)
    assert about["seed"] == 3 and about["command"] == "python -m medad.experiments.studies.controls phantoms"
    assert about["data"]["name"] == "phantoms" and about["data"]["normal"]["images"] == 12
    assert "scikit-learn" in about["versions"] and str(phantoms.parent) not in text


def test_another_set_may_be_learned_from(phantoms, tmp_path):
    masks = shutil.copytree(phantoms, tmp_path / "data" / "masks")
    (masks.parent / "phantoms").symlink_to(phantoms)
    (masks / "data.json").unlink()
    Repartition((), (), Repartition.read(masks).test).write(masks / "manifest.csv")
    with pytest.raises(UserError, match="no normal images"):
        store_controls("masks", masks.parent, tmp_path / "out")
    folder = store_controls("masks", masks.parent, tmp_path / "out", train="phantoms")
    about = yaml.safe_load((folder / "about.yaml").read_text())
    assert about["data"]["name"] == "phantoms" and about["command"].endswith("controls masks --train phantoms")
    with pytest.raises(UserError, match="no test images"):
        Repartition((), (), ()).write(masks / "manifest.csv")
        store_controls("masks", masks.parent, tmp_path / "out", train="phantoms")


def test_phantoms_have_seeds_of_their_own(tmp_path, monkeypatch):
    generate = module.phantom_benchmark
    monkeypatch.setattr(module, "phantom_benchmark", lambda **k: generate(normal=6, unlabeled=5, test=(2, 3), **k))
    monkeypatch.setattr(module, "SEEDS", (0, 1))
    assert len(store_phantoms("plain", tmp_path)) == 2
    tables = [stored_controls("phantom_plain", tmp_path, seed) for seed in (0, 1)]
    assert tables[0].image_path == tables[1].image_path
    assert (tables[0].columns["pixels"] != tables[1].columns["pixels"]).all()


@pytest.mark.parametrize(
    "dataset", ["brain_tumor", "brain_tumor_masks", "fundus_glaucoma", "pediatric_cxr", "phantom", "phantom_plain"]
)
def test_our_stored_controls_are_of_the_images_of_our_stored_runs(dataset):
    run = next(stored(dataset, RESULTS))
    table = stored_controls(dataset, RESULTS, run.run["seed"] if dataset.startswith("phantom") else 0)
    assert table.image_path == run.scores.image_path and table.kinds == run.scores.kinds
    np.testing.assert_array_equal(table.gt_label, run.scores.gt_label)
    (about,) = (RESULTS / dataset / "controls").glob(f"seed{run.run['seed']}/about.yaml")
    learned = yaml.safe_load(about.read_text())["data"]
    assert {name: learned[name] for name in ("name", "normal", "unlabeled")} == {
        name: run.run["data"][name] for name in ("name", "normal", "unlabeled")
    }


@pytest.mark.skipif(not DATA, reason="MEDAD_DATA names no folder of real images")
def test_what_is_stored_comes_out_again(tmp_path):
    store_controls("adult_cxr", Path(DATA or ""), tmp_path)
    again, table = stored_controls("adult_cxr", tmp_path), stored_controls("adult_cxr", RESULTS)
    assert again.image_path == table.image_path
    for name, values in table.columns.items():
        np.testing.assert_allclose(again.columns[name], values, rtol=1e-3, atol=1e-3 * values.std())
