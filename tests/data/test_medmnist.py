"""A data set in one file, as MedMNIST publishes them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from medad.cli.commands import main
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.errors import UserError


def write(path: Path, labels: dict[str, list], colour: bool = False, dtype: str = "uint8") -> dict[str, np.ndarray]:
    """Write a file whose images have the shade of their place, 10 for the first of train; return its images."""
    arrays, shade = {}, 10
    for part, values in labels.items():
        shades = np.arange(shade, shade + len(values), dtype=dtype)
        shape = (len(values), 28, 28, 3) if colour else (len(values), 28, 28)
        arrays[f"{part}_images"] = np.broadcast_to(shades.reshape(-1, *[1] * (len(shape) - 1)), shape)
        shade += len(values)
    columns = {f"{part}_labels": np.array(values, np.uint8).reshape(len(values), -1) for part, values in labels.items()}
    np.savez_compressed(path, **arrays, **columns)
    return arrays


LABELS = {"train": [0, 1, 0, 2, 0], "val": [1, 0], "test": [0, 2, 1]}


@pytest.mark.parametrize("colour", [False, True])
def test_images_are_dealt_out_by_their_labels(tmp_path: Path, colour: bool) -> None:
    write(tmp_path / "pathmnist.npz", LABELS, colour)
    who = Repartition.read(tmp_path / "pathmnist.npz")
    told = "class 0 is taken for normal, every other one for abnormal; val_images join the unlabeled pool"
    assert who.notes == (f"pathmnist.npz: {told}",)
    assert [entry.id for entry in who.normal] == [f"pathmnist.npz#{i}" for i in (1, 3, 5)]
    assert [(e.frame, e.label, e.kind) for e in who.unlabeled] == [
        (2, 1, "class 1"),
        (4, 1, "class 2"),
        (6, 1, "class 1"),
        (7, 0, ""),
    ]
    assert [(e.frame, e.label, e.kind) for e in who.test] == [(8, 0, ""), (9, 1, "class 2"), (10, 1, "class 1")]
    for split in (who.normal, who.unlabeled, who.test):
        pixels = load_images(split, Preprocessing(28), cache=False).images.pixels
        assert pixels[:, 0, 5, 5].tolist() == [9 + entry.frame for entry in split]


@pytest.mark.parametrize(
    ("name", "normal"), [("breastmnist", 1), ("octmnist_64", 3), ("dermamnist", 5), ("pneumoniamnist", 0)]
)
def test_the_normal_class_is_that_of_the_data_set(tmp_path: Path, name: str, normal: int) -> None:
    write(tmp_path / f"{name}.npz", {"train": [0, 1, 2, 3, 4, 5], "test": [0, 1, 2, 3, 4, 5]})
    who = Repartition.read(tmp_path / f"{name}.npz")
    assert [entry.frame for entry in who.normal] == [normal + 1]
    assert [entry.frame for entry in who.test if not entry.label] == [normal + 7]


def test_an_image_with_none_of_several_labels_is_normal(tmp_path: Path) -> None:
    write(tmp_path / "chestmnist.npz", {"train": [[0, 0, 0]], "test": [[1, 0, 1], [0, 0, 0], [0, 1, 0]]})
    who = Repartition.read(tmp_path / "chestmnist.npz")
    assert Counter(entry.kind for entry in who.test) == {"class 0 and class 2": 1, "": 1, "class 1": 1}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"train": [0, 1]}, "it lacks test"),
        ({"test": [0, 1]}, "it lacks train"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, labels: dict[str, list], said: str) -> None:
    write(tmp_path / "a.npz", labels)
    with pytest.raises(UserError, match=rf"not a data set in MedMNIST's layout \({said}\)"):
        Repartition.read(tmp_path / "a.npz")


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    images = {f"{part}_images": np.zeros((4, 8, 8), np.uint8) for part in ("train", "test")}
    for labels, said in (
        (np.zeros(3, int), "not one whole number for each image"),
        (np.zeros(4), "not one whole number for each image"),
        (np.zeros((4, 1, 1), int), "not one whole number for each image"),
        (None, "it lacks train_labels"),
    ):
        given = {} if labels is None else {"train_labels": labels}
        np.savez(tmp_path / "a.npz", **images, test_labels=np.zeros(4, int), **given)
        with pytest.raises(UserError, match=said):
            Repartition.read(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 no zip file")
    with pytest.raises(UserError, match="not a data set in MedMNIST's layout"):
        Repartition.read(tmp_path / "b.npz")


def test_a_run_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "pneumoniamnist.npz", {"train": [0] * 12 + [1] * 8, "val": [0, 1] * 6, "test": [0, 1] * 6})
    monkeypatch.chdir(tmp_path)
    options = ("--preset", "tiny", "--jobs", "1", "--device", "cpu")
    assert main(["run", "pneumoniamnist.npz", "--method", "ae", *options]) == 0
    said = capsys.readouterr().err
    assert "normal: 12 images" in said and "test: 12 images" in said and "class 0 is taken for normal" in said
    assert (tmp_path / "runs" / "pneumoniamnist-ae" / "report.html").is_file()
    assert "pneumoniamnist.npz#33" in (tmp_path / "runs" / "pneumoniamnist-ae" / "scores.csv").read_text()
