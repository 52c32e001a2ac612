"""What a run says of leaks before it trains, and refuses if told so."""

import csv
import shutil

import pytest

from medad.cli.commands import main
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.workflows.options import TrainOptions
from medad.workflows.splits import read_splits


@pytest.fixture
def leaking(phantoms, tmp_path):
    """The phantoms with a test image that is a training one, and a patient in two splits."""
    data = tmp_path / "leaking"
    shutil.copytree(phantoms, data)
    rows = list(csv.DictReader((data / "manifest.csv").open(newline="")))
    normal, unlabeled = (next(row for row in rows if row["split"] == split) for split in ("normal", "unlabeled"))
    test = [row for row in rows if row["split"] == "test"]
    shutil.copy(data / normal["path"], data / test[0]["path"])
    unlabeled["patient"] = test[1]["patient"] = test[2]["patient"] = "Secret"
    with (data / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return data


def test_leaks_are_said_by_number(leaking, capsys):
    read_splits(leaking, leaking / "manifest.csv", TrainOptions(jobs=1))
    said = capsys.readouterr().err
    assert "leak: patients among both the unlabeled and the test images: 1" in said
    assert "leak: the same files, byte for byte, among both the normal and the test images: 1" in said
    assert "--leaks refuse trains nothing" in said and "Secret" not in said


def test_leaks_are_refused_before_anything_is_trained(leaking, tmp_path, capsys):
    argv = ["train", str(leaking), "--split", str(leaking / "manifest.csv"), "--preset", "tiny", "--jobs", "1"]
    assert main([*argv, "--leaks", "refuse", "--out", str(tmp_path / "run")]) == 2
    assert "byte for byte" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_nothing_is_said_where_nothing_leaks(phantoms, capsys):
    read_splits(phantoms, None, TrainOptions(jobs=1, leaks="refuse"))
    assert "leak" not in capsys.readouterr().err


def test_frames_of_one_file_in_two_splits_are_a_leak(phantoms, tmp_path):
    from PIL import Image

    pages = [Image.open(entry.path).convert("L") for entry in Repartition.read(phantoms).normal[:4]]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "manifest.csv").write_text(
        "path,split,label\n"
        + "".join(f"stack.tif#{i},{s}\n" for i, s in [(1, "normal,"), (2, "normal,"), (3, "test,0")])
    )
    with pytest.raises(UserError, match="files of several frames among both the normal and the test images: 1"):
        read_splits(tmp_path, None, TrainOptions(jobs=1, leaks="refuse"))


def test_sizes_of_files_that_give_lists_away_are_said(phantoms, tmp_path, capsys):
    data = tmp_path / "padded"
    shutil.copytree(phantoms, data)
    for entry in Repartition.read(data).unlabeled:
        with entry.path.open("ab") as stream:
            stream.write(bytes(50_000))  # after the end of the picture
    read_splits(data, None, TrainOptions(jobs=1))
    assert "file size alone tells normal and unlabeled images apart: AUROC 100 %" in capsys.readouterr().err
