"""``medad train``: the run folder, what the user is told, and resuming."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from conftest import TINY
from PIL import Image

from medad.cli.commands import main
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.detectors.contract import detector as contract
from medad.detectors.registry import load_detector
from medad.training import stopwatch
from medad.training.run_folder import training_seconds
from medad.workflows.options import TrainOptions
from medad.workflows.splits import data_name, read_splits


def train(data, out, *more):
    return main(["train", str(data), "--out", str(out), *TINY, *more])


def test_the_run_folder_tells_how_it_came_about(finished):
    run = yaml.safe_load((finished / "run.yaml").read_text())
    assert run["data"]["name"] == "phantoms"
    counts = {name: {k: v for k, v in run["data"][name].items() if k != "fingerprint"} for name in ("normal", "test")}
    assert counts == {
        "normal": {"images": 12, "normal": 12, "abnormal": 0, "trained": 10, "held_out": 2},
        "test": {"images": 16, "normal": 8, "abnormal": 8},
    }
    assert run["data"]["unlabeled"]["abnormal"] == 6  # of 10, at anomaly rate 0.6
    assert run["data"]["unlabeled"]["used"] == 10
    assert len(run["data"]["normal"]["fingerprint"]) == 32
    assert {"medad", "python", "torch", "numpy", "cpu", "system"} <= set(run["versions"])
    assert run["config"]["preset"] == "tiny" and run["config"]["options"] == {"holdout": 0.2}
    assert run["timings"]["resumed"] is False and "fingerprint" not in run["data"]["test"]


def test_the_colour_scale_is_that_of_the_normal_images(finished, phantoms):
    images = load_images(Repartition.read(phantoms).normal, Preprocessing(64)).images
    maps = np.concatenate([p.maps["anomaly_map"] for p in load_detector(finished, device="cpu").predict(images)])
    scale = yaml.safe_load((finished / "run.yaml").read_text())["map_scale"]
    np.testing.assert_allclose(scale, np.percentile(maps, (50, 99.9)), rtol=1e-4)


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds for what measures a training; it stands still until a test sets it."""
    now = SimpleNamespace(seconds=100.0)
    both = {"monotonic": lambda: now.seconds, "time": lambda: 1e9 + now.seconds}
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(**both))
    return now


def timings(run):
    return yaml.safe_load((run / "run.yaml").read_text())["timings"]


def test_the_time_of_training_is_told(phantoms, tmp_path, monkeypatch, clock):
    learn = contract.Detector._train

    def learn_for_some_seconds(*args):
        clock.seconds += 7.25
        learn(*args)

    monkeypatch.setattr(contract.Detector, "_train", learn_for_some_seconds)
    assert train(phantoms, tmp_path / "run", "--method", "ae", "--resume") == 0  # there is nothing to go on from
    assert timings(tmp_path / "run") == {"fit_seconds": 7.2, "wall_seconds": 7.2, "resumed": False}


@pytest.mark.parametrize("counted", [True, False])
def test_pauses_are_no_time_of_training(counted, phantoms, tmp_path, monkeypatch, clock):
    learn, out = contract.Detector._train, tmp_path / "run"

    def stop_in_the_end(*args):
        learn(*args)
        clock.seconds += 30.0
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(contract.Detector, "_train", stop_in_the_end)
        assert train(phantoms, out, "--method", "ae") == 130
    clock.seconds += 3600.0
    if not counted:  # as an earlier version left it
        (out / "checkpoint" / "seconds.json").unlink()
    assert train(phantoms, out, "--method", "ae", "--resume") == 0
    if counted:
        assert timings(out) == {"fit_seconds": 30.0, "wall_seconds": 3630.0, "resumed": True}
    else:
        assert timings(out) == {"fit_seconds": 0.0, "resumed": True}
    assert training_seconds({"timings": timings(out)}) == (30.0 if counted else None)


def test_the_run_folder_names_neither_machine_nor_paths(finished, phantoms):
    import getpass
    import platform

    text = (finished / "run.yaml").read_text()
    assert str(phantoms.parent) not in text
    words = set(text.replace(":", " ").split())
    assert platform.node() not in words and getpass.getuser() not in words


def test_the_checkpoint_goes_when_training_is_done(finished):
    assert (finished / "weights.safetensors").exists() and not (finished / "checkpoint").exists()


def test_counts_and_anomaly_rate_are_said(phantoms, tmp_path, capsys):
    assert train(phantoms, tmp_path / "run", "--anomaly-rate", "0.5", "--unlabeled-size", "6") == 0
    said = capsys.readouterr()
    assert "normal: 12 images" in said.err and "test: 16 images" in said.err
    assert "unlabeled: M = 6 images of 10, anomaly rate 0.5: 3 normal + 3 abnormal" in said.err
    assert said.out == ""


def test_resuming_a_finished_run_leaves_it_alone(phantoms, tmp_path, capsys):
    assert train(phantoms, tmp_path / "run") == 0
    before = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    assert train(phantoms, tmp_path / "run", "--resume") == 0
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == before
    assert "finished already" in capsys.readouterr().err


def test_a_finished_run_of_before_is_known_again_and_other_images_are_not(finished, phantoms, tmp_path, capsys):
    run = shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("evaluate-*"))
    described = yaml.safe_load((run / "run.yaml").read_text())
    for images, name in (("normal", "trained"), ("normal", "held_out"), ("unlabeled", "used")):
        del described["data"][images][name]  # older versions did not tell
    (run / "run.yaml").write_text(yaml.safe_dump(described))
    more = ("--options.holdout", "0.2", "--resume")
    assert train(phantoms, run, *more) == 0
    del described["data"]["unlabeled"]
    (run / "run.yaml").write_text(yaml.safe_dump(described))
    assert train(phantoms, run, *more) == 2
    assert "finished with other training images" in capsys.readouterr().err


def test_unlabeled_images_that_the_method_sets_aside_are_not_counted_as_used(phantoms, tmp_path):
    assert train(phantoms, tmp_path / "run", "--method", "ae") == 0
    data = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())["data"]
    assert (data["unlabeled"]["images"], data["unlabeled"]["used"]) == (10, 0)
    assert (data["normal"]["trained"], data["normal"]["held_out"]) == (12, 0)


def test_the_default_run_folder_is_named_after_data_and_method(phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(phantoms), *TINY, "--method", "ae"]) == 0
    assert (tmp_path / "runs" / "phantoms-ae" / "weights.safetensors").exists()


def test_training_without_unlabeled_and_test_images(tmp_path, capsys):
    rng = np.random.default_rng(0)
    (tmp_path / "set" / "normal").mkdir(parents=True)
    for i in range(4):
        Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8)).save(tmp_path / "set" / "normal" / f"{i}.png")
    assert train(tmp_path / "set", tmp_path / "run") == 0
    run = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert run["unlabeled"] is False and set(run["data"]) == {"name", "normal"}
    assert "unlabeled: none" in capsys.readouterr().err


def test_an_unlabeled_folder_without_labels_is_used_whole(tmp_path, capsys):
    for part, count in {"normal": 4, "unlabeled": 3}.items():
        (tmp_path / "set" / part).mkdir(parents=True)
        for i in range(count):
            Image.new("L", (64, 64), 10 * i + count).save(tmp_path / "set" / part / f"{i}.png")
    assert train(tmp_path / "set", tmp_path / "run") == 0
    assert "unlabeled: M = 3 images, anomaly rate not known" in capsys.readouterr().err
    assert yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())["data"]["unlabeled"]["images"] == 3


def test_another_split_file_is_used(phantoms, tmp_path):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    Repartition(who.normal[:5], (), who.test).write(data / "small.csv")
    splits = read_splits(data, None, TrainOptions()), read_splits(data, "small.csv", TrainOptions())
    assert [len(s.normal) for s in splits] == [12, 5]
    assert splits[1].unlabeled is None


def test_test_images_and_masks_of_training_images_are_not_looked_at(phantoms, tmp_path, capsys):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    for entry in who.test:
        entry.path.write_bytes(b"")
    masked = [replace(entry, mask=who.test[0].path if entry.label == 1 else None) for entry in who.unlabeled]
    masked[-1] = replace(masked[-1], mask=None)
    Repartition(who.normal, tuple(masked), who.test).write(data / "masked.csv")
    assert train(data, tmp_path / "run", "--split", "masked.csv", "--method", "ae") == 0
    assert "reading masks" not in capsys.readouterr().err
    counts = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())["data"]["test"]
    assert counts == {"images": 16, "normal": 8, "abnormal": 8}


@pytest.mark.parametrize("given", ["", "data.json"])
def test_the_name_of_a_data_set_is_its_folder(given, tmp_path):
    (tmp_path / "brain").mkdir()
    (tmp_path / "brain" / "data.json").write_text(json.dumps({}))
    assert data_name(tmp_path / "brain" / given) == "brain"


def test_files_that_a_method_needs_are_looked_for_before_images_are_read(phantoms, tmp_path, monkeypatch):
    monkeypatch.setattr("medad.workflows.train.read_splits", lambda *_: pytest.fail("images were read"))
    how = ["--method", "draem", "--preset", "tiny", "--size", "64", "--options.textures", str(tmp_path / "none")]
    assert main(["train", str(phantoms), "--out", str(tmp_path / "run"), *how]) == 2
    assert not (tmp_path / "run").exists()
