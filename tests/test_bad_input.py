"""Bad input ends in one clear line that names the file or option, and in the right exit status.

Everything runs in process through the command line, as a user would meet it.
"""

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

from medad.cli.commands import main
from medad.detectors.contract import detector as base

pytestmark = pytest.mark.integration


@pytest.fixture
def images(tmp_path):
    """A plain folder data set of 6 normal, 4 unlabeled and 2 + 2 test images, 32 x 32."""
    rng = np.random.default_rng(0)
    root = tmp_path / "images"
    for part, count in {"normal": 6, "unlabeled": 4, "test/normal": 2, "test/abnormal": 2}.items():
        (root / part).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(root / part / f"{part.replace('/', '-')}-{i}.png")
    return root


@pytest.fixture
def complaint(capsys):
    """Run a command that must fail with `status`; return the line it says."""

    def run(*argv, status=2):
        assert main([str(a) for a in argv]) == status
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("medad: error: ")]
        assert len(lines) == 1
        return lines[0]

    return run


@pytest.fixture
def train_complaint(complaint, images, tmp_path):
    """Train on `images`, which must fail; return the line."""
    return lambda *more: complaint("train", images, "--out", tmp_path / "run", *TINY, *more)


def a_normal(images: Path) -> Path:
    return images / "normal" / "normal-3.png"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"not an image", "not an image"), (None, "truncated")],
    ids=["empty", "not an image", "truncated"],
)
def test_damaged_files_are_named(content, reason, images, train_complaint):
    file = a_normal(images)
    file.write_bytes(file.read_bytes()[:300] if content is None else content)
    line = train_complaint()
    assert str(file) in line and reason in line


def test_all_damaged_files_are_counted(images, train_complaint):
    for file in list((images / "normal").iterdir())[:3]:
        file.write_bytes(b"")
    assert "and 2 more" in train_complaint()


def test_nan_in_a_float_tiff(images, train_complaint):
    file = images / "normal" / "float.tiff"
    pixels = np.ones((8, 8), np.float32)
    pixels[2, 2] = np.nan
    Image.fromarray(pixels).save(file)
    line = train_complaint()
    assert str(file) in line and "NaN" in line


def test_a_missing_data_folder(complaint, tmp_path):
    assert str(tmp_path / "nowhere") in complaint("train", tmp_path / "nowhere", "--out", tmp_path / "run", *TINY)


def test_a_folder_without_a_split(complaint, tmp_path):
    (tmp_path / "photos").mkdir()
    line = complaint("run", tmp_path / "photos", "--out", tmp_path / "run", *TINY)
    assert str(tmp_path / "photos") in line and "data.json" in line


def write_json(root: Path, change) -> Path:
    names = [f"{i}.png" for i in range(8)]
    (root / "images").mkdir(parents=True)
    for i, name in enumerate(names):
        Image.new("L", (16, 16), 10 * i).save(root / "images" / name)
    lists = {
        "train": {"0": names[:4], "unlabeled": {"0": [], "1": []}},
        "test": {"0": names[4:6], "1": names[6:]},
    }
    change(lists)
    (root / "data.json").write_text(json.dumps(lists))
    return root


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["train"].pop("unlabeled"), "train/unlabeled/0"),
        (lambda d: d["test"]["1"].append("absent.png"), "absent.png"),
        (lambda d: d["train"]["0"].append("0.png"), "0.png"),
        (lambda d: d["test"]["0"].append("0.png"), "0.png"),
    ],
    ids=["missing key", "missing file", "one id twice", "one id in two splits"],
)
def test_faults_of_data_json_are_named(change, said, complaint, tmp_path):
    root = write_json(tmp_path / "set", change)
    line = complaint("train", root, "--out", tmp_path / "run", *TINY)
    assert str(root) in line and said in line


def test_broken_json(complaint, tmp_path):
    (tmp_path / "data.json").write_text("{")
    assert "data.json" in complaint("train", tmp_path, "--out", tmp_path / "run", *TINY)


def test_a_split_file_that_is_not_there(train_complaint):
    assert "--split other.json: no such file" in train_complaint("--split", "other.json")


def test_one_normal_image_is_too_few(images, train_complaint):
    for file in sorted((images / "normal").iterdir())[1:]:
        file.unlink()
    assert "at least 2" in train_complaint()


def test_no_normal_image(images, train_complaint):
    shutil.rmtree(images / "normal")
    (images / "normal").mkdir()
    assert "no normal images" in train_complaint()


def test_no_test_images(complaint, images, finished):
    shutil.rmtree(images / "test")
    assert "no test images" in complaint("evaluate", finished, images)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--ensemble-size", "1"], "--ensemble-size 1"),
        (["--method", "ddda"], "did you mean ddad"),
        (["--method", "ae", "--ensemble-size", "3"], "--ensemble-size"),
        (["--options.colour", "red"], "colour"),
        (["--device", "cuda:77"], "--device cuda:77"),
        (["--device", "abacus"], "--device abacus"),
        (["--unlabeled-size", "99"], "--unlabeled-size 99"),
    ],
)
def test_options_that_do_not_fit_are_named(argv, said, train_complaint):
    assert said in train_complaint(*argv)


def test_a_fault_leaves_the_folder_free_for_the_next_try(images, train_complaint, tmp_path):
    file = a_normal(images)
    whole = file.read_bytes()
    file.write_bytes(b"")
    train_complaint()
    file.write_bytes(whole)
    assert main(["train", str(images), "--out", str(tmp_path / "run"), *TINY]) == 0


def test_a_run_is_not_overwritten(complaint, images, finished):
    before = (finished / "run.yaml").read_bytes()
    line = complaint("train", images, "--out", finished, *TINY)
    assert str(finished) in line and "--resume" in line
    assert (finished / "run.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["--seed", "9"], "finished with --seed 0"), (["--options.lr", "0.1"], "finished without --options.lr")],
)
def test_a_finished_run_is_not_resumed_with_other_options(argv, said, complaint, phantoms, finished):
    options = [*TINY, "--options.holdout", "0.2", *argv]
    assert said in complaint("train", phantoms, "--out", finished, "--resume", *options)


@pytest.fixture
def begun(images, tmp_path, monkeypatch, capsys):
    """The folder of a run that was stopped in its second stage, and what it was told."""
    told = ["train", str(images), "--out", str(tmp_path / "begun"), *TINY, "--options.lr", "0.01"]
    with monkeypatch.context() as patch:
        train_phases = base.train_phases

        def stop_in_stage_2(stage, folder, jobs, description):
            if "stage 2" in description:
                raise KeyboardInterrupt
            train_phases(stage, folder, jobs, description)

        patch.setattr(base, "train_phases", stop_in_stage_2)
        assert main(told) == 130
    capsys.readouterr()
    return tmp_path / "begun", told


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--seed", "9"], "begun with --seed 0; resume with that, or use another --out"),
        (["--options.lr", "0.1"], "begun with --options.lr 0.01; resume with that"),
        (["--options.epochs", "3"], "begun without --options.epochs; resume without it"),
        (["--unlabeled-size", "2"], "begun without --unlabeled-size; resume without it"),
        (["--method", "ae"], "begun with --method ddad; resume with that"),
    ],
)
def test_a_run_in_training_is_not_resumed_with_other_options(argv, said, complaint, begun):
    folder, told = begun
    assert f"{folder}: {said}" in complaint(*told, "--resume", *argv)


def test_a_run_in_training_is_not_resumed_with_other_images(complaint, begun, images):
    a_normal(images).unlink()
    assert "begun with other training images; use another --out" in complaint(*begun[1], "--resume")


def test_a_run_in_training_goes_on_with_the_same_options_on_another_machine(begun):
    folder, told = begun
    assert main([*told, "--resume", "--device", "auto"]) == 0
    assert not (folder / "checkpoint").exists()


def test_a_run_that_an_earlier_version_began_goes_on_or_says_as_much_as_it_knows(begun, complaint):
    folder, told = begun
    (folder / "checkpoint" / "run.yaml").unlink()
    assert "trained with other options or data" in complaint(*told, "--resume", "--seed", "9")
    assert main([*told, "--resume"]) == 0


def test_before_anything_is_trained_any_option_may_change(images, train_complaint, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(base, "train_phases", fail)
        assert main(["train", str(images), "--out", str(tmp_path / "run"), *TINY]) == 130
    assert main(["train", str(images), "--out", str(tmp_path / "run"), *TINY, "--seed", "9", "--resume"]) == 0


def test_a_finished_run_is_not_resumed_with_other_images(complaint, images, finished):
    options = [*TINY, "--options.holdout", "0.2"]
    assert "other training images" in complaint("train", images, "--out", finished, "--resume", *options)


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "demo"])
def test_a_folder_that_cannot_be_made(command, complaint, images, finished, tmp_path):
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    inputs = {
        "train": [images, *TINY],
        "predict": [finished, images],
        "evaluate": [finished, images],
        "demo": [],
    }
    assert str(out) in complaint(command, *inputs[command], "--out", out)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write to")
def test_a_read_only_folder(complaint, images):
    assert "/proc/medad: cannot be written to" in complaint("train", images, "--out", "/proc/medad", *TINY)


@pytest.mark.parametrize("command", ["train", "run", "evaluate", "predict", "demo"])
def test_a_folder_that_is_there_and_read_only(command, complaint, images, finished, tmp_path, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "write_text", refuse)  # permissions do not stop root
    out = tmp_path / "out"
    out.mkdir()
    inputs = {"evaluate": [finished, images], "predict": [finished, images], "demo": []}
    line = complaint(command, *inputs.get(command, [images, *TINY]), "--out", out)
    assert f"{out}: cannot be written to (Permission denied); choose another --out" in line
    assert not list(out.iterdir())


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_a_full_disk(command, complaint, images, finished, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    from medad.workflows import evaluate, findings, train

    monkeypatch.setattr(train, "update_run", full)
    monkeypatch.setattr(evaluate, "write_report", full)
    monkeypatch.setattr(findings, "write_scores", full)
    inputs = {"train": [images, *TINY], "evaluate": [finished, images], "predict": [finished, images]}
    line = complaint(command, *inputs[command], "--out", tmp_path / "out", status=1)
    assert f"{tmp_path / 'out'}: the disk is full" in line
    if command == "evaluate":  # what was computed before is kept
        assert (tmp_path / "out" / "scores.csv").exists() and (tmp_path / "out" / "metrics.json").exists()
    if command == "train":
        monkeypatch.undo()
        assert main(["train", str(images), *TINY, "--out", str(tmp_path / "out"), "--resume"]) == 0


def test_a_run_that_is_none(complaint, images, tmp_path):
    assert "run.yaml" in complaint("predict", tmp_path, images, "--out", tmp_path / "out")


def test_a_run_with_damaged_weights(complaint, images, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "copy")
    (run / "weights.safetensors").write_bytes(b"nothing")
    assert "weights.safetensors" in complaint("predict", run, images, "--out", tmp_path / "out")


def test_predict_goes_on_past_unreadable_files(images, finished, tmp_path, capsys):
    bad = images / "normal" / "normal-0.png"
    bad.write_bytes(b"")
    absent = tmp_path / "absent.png"
    absent.symlink_to(tmp_path / "nowhere.png")
    assert main(["predict", str(finished), str(images), str(absent), "--out", str(tmp_path / "out")]) == 1
    with (tmp_path / "out" / "failed.csv").open() as file:
        failed = list(csv.reader(file))
    assert failed[0] == ["path", "reason"]
    assert {row[0] for row in failed[1:]} == {str(bad), str(absent)} and all(row[1] for row in failed)
    with (tmp_path / "out" / "scores.csv").open() as file:
        assert len(list(csv.reader(file))) == 1 + 13
    assert "failed.csv" in capsys.readouterr().err
    bad.unlink()
    assert main(["predict", str(finished), str(images), "--out", str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "failed.csv").exists()


def test_predict_when_nothing_can_be_read(finished, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    assert main(["predict", str(finished), str(tmp_path / "bad.png"), "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out" / "scores.csv").exists()


def test_predict_of_an_empty_folder(complaint, finished, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty" in complaint("predict", finished, tmp_path / "empty", "--out", tmp_path / "out")


def test_predict_of_two_files_with_one_id(complaint, images, finished, tmp_path):
    other = shutil.copytree(images / "normal", tmp_path / "other")
    line = complaint("predict", finished, images / "normal", other, "--out", tmp_path / "out")
    assert "normal-0.png" in line


def test_the_demo_spares_other_folders(complaint, images):
    (images / "normal").rename(images / "phantoms")
    assert f"{images / 'phantoms'}: not known to be of medad demo" in complaint("demo", "--out", images)
    assert (images / "phantoms" / "normal-3.png").exists()


def test_mixed_sizes_modes_and_constant_images_are_said(images, tmp_path, capsys):
    Image.new("RGB", (48, 40), (9, 9, 9)).save(images / "normal" / "colour.png")
    assert main(["train", str(images), "--out", str(tmp_path / "run"), *TINY]) == 0
    said = capsys.readouterr().err
    assert "mixed modes: 6 L, 1 RGB" in said and "mixed sizes" in said
    assert "constant images: 1 (first: normal/colour.png)" in said


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_keeps_what_was_trained(images, tmp_path):
    run = tmp_path / "run"
    argv = ["train", str(images), "--out", str(run), *TINY, "--options.steps", "1000000"]
    code = f"import sys; from medad.cli.commands import main; sys.exit(main({argv!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    try:
        while not (run / "checkpoint").exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "medad: error: stopped; go on with --resume" in said and "Traceback" not in said
    assert list((run / "checkpoint").glob("*.partial.safetensors"))
