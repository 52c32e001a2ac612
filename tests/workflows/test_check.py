"""``medad check``: a promise that holds is left alone, one that fails or may fail is told, with what to do."""

import shutil

import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.repartition import Repartition


@pytest.fixture(scope="module")
def normals(tmp_path_factory):
    """Return folders of 60 and of 40 normal images that no run has learned from."""
    folder = tmp_path_factory.mktemp("others")
    write_phantoms(folder / "all", phantom_benchmark(normal=100, unlabeled=2, test=(2, 2), seed=7))
    files = [entry.path for entry in Repartition.read(folder / "all").normal]
    for name, some in (("first", files[:60]), ("second", files[60:])):
        (folder / name).mkdir()
        for file in some:
            shutil.copy(file, folder / name)
    return folder / "first", folder / "second"


@pytest.fixture
def run(run_on_pixels, tmp_path, normals):
    copy = shutil.copytree(run_on_pixels("knn"), tmp_path / "run")
    assert main(["calibrate", str(copy), str(normals[0])]) == 0
    return copy


def changed(folder, out, change):
    out.mkdir()
    for file in folder.iterdir():
        pixels = np.asarray(Image.open(file)).astype(float)
        Image.fromarray(np.clip(change(pixels), 0, 255).astype(np.uint8)).save(out / file.name)
    return out


def test_a_promise_that_holds_is_left_alone(run, normals, capsys):
    capsys.readouterr()
    assert main(["check", str(run), str(normals[1]), "--calibration", "local", "--false-alarms", "0.1"]) == 0
    told = capsys.readouterr().err
    assert "of 40 normal images or patients" in told and "promised was 9.84 %" in told
    assert "nothing speaks against the promise" in told and "would be noticed in" in told


def test_a_promise_that_fails_is_told(run, normals, tmp_path, capsys):
    rng = np.random.default_rng(0)
    noisy = changed(normals[1], tmp_path / "noisy", lambda x: x + 60 * rng.normal(size=x.shape))
    assert main(["check", str(run), str(noisy), "--calibration", "local", "--false-alarms", "0.1"]) == 1
    told = capsys.readouterr().err
    assert "THE PROMISE FAILS HERE" in told and "medad calibrate" in told and "at least 10 normal images" in told
    assert "their mean gradient is higher: in 100 of 100 pairs" in told


def test_images_that_look_different_are_told(run, normals, tmp_path, capsys):
    dark = changed(normals[1], tmp_path / "dark", lambda x: 0.8 * x)
    main(["check", str(run), str(dark), "--calibration", "local"])
    told = capsys.readouterr().err
    assert "their mean intensity is lower" in told and "nothing speaks" not in told


def test_files_that_are_made_otherwise_are_told(run, normals, tmp_path, capsys):
    folder = tmp_path / "larger"
    folder.mkdir()
    for file in normals[1].iterdir():
        Image.open(file).resize((96, 96)).save(folder / f"{file.stem}.bmp")
    main(["check", str(run), str(folder), "--calibration", "local"])
    told = capsys.readouterr().err
    assert "their size differs: 64 x 64 0 of 40 here, 60 of 60 before; 96 x 96 40 of 40 here, 0 of 60 before" in told
    assert "their format differs" in told and "their depth differs" not in told and "view" not in told
    main(["check", str(run), str(normals[1]), "--calibration", "local"])
    assert "differs: " not in capsys.readouterr().err


def test_images_of_the_promise_cannot_speak_for_it(run, normals, tmp_path, capsys):
    assert main(["check", str(run), str(normals[0]), "--calibration", "local"]) == 2
    assert "the promise was made on all of these 60 images; give others" in capsys.readouterr().err
    both = shutil.copytree(normals[1], tmp_path / "both")
    for file in sorted(normals[0].iterdir())[:3]:
        shutil.copy(file, both / f"known-{file.name}")
    main(["check", str(run), str(both), "--calibration", "local"])
    told = capsys.readouterr().err
    assert "3 of 43 images are among those that the promise was made on: left out" in told
    assert "of 40 normal images or patients" in told


def test_without_a_set_the_images_held_out_are_asked(run, normals, capsys):
    assert main(["check", str(run), str(normals[1]), "--false-alarms", "0.4"]) in (0, 1)
    told = capsys.readouterr().err
    assert "how the images look was not compared" in told
    assert main(["check", str(run), str(normals[1])]) == 2
    assert "2 held-out normal images cannot promise a false-alarm rate of 0.05" in capsys.readouterr().err
