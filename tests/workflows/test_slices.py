"""``medad slices`` on small volumes."""

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.readers.geometry import Geometry
from medad.data.repartition import Repartition

AFFINE = np.diag([-2.0, 3, 4, 1])


def write(path: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype), path)
    return path


def random(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4000, (6, 7, 8)).astype(np.int16)


def slices(*argv: object) -> int:
    return main(["slices", *map(str, argv)])


def rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "manifest.csv").read_text().splitlines()))


def test_all_slices_of_a_volume_and_the_way_back(tmp_path: Path) -> None:
    voxels = random()
    volume, out = write(tmp_path / "a.nii.gz", voxels), tmp_path / "out"
    assert slices(volume, "--out", out, "--intensity", "window", "0", "65535") == 0
    listed = rows(out)
    assert [row["path"] for row in listed] == [f"images/a_{i:03}.png" for i in range(1, 9)]
    assert {(row["split"], row["label"], row["patient"], row["mask"]) for row in listed} == {("unlabeled", "", "a", "")}
    pictures = np.stack([np.asarray(Image.open(out / row["path"])) for row in listed])
    assert pictures.dtype == np.uint16
    known = json.loads((out / "volumes.json").read_text())["a.nii.gz"]
    assert known["axis"] == "axial" and known["slices"]["8"] == "images/a_008.png"
    geometry = Geometry.of(tuple(known["shape"]), np.array(known["affine"]), known["axis"])
    np.testing.assert_array_equal(geometry.voxels(pictures), voxels)


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--axis", "coronal"], [1, 2, 3, 4, 5, 6, 7]),
        (["--axis", "sagittal", "--every", "4"], [2, 6]),
        (["--every", "3"], [2, 5, 8]),
        (["--every", "8"], [4]),
        (["--foreground", "0.4"], [3, 4, 5, 6, 7, 8]),
        (["--foreground", "0.4", "--every", "2"], [3, 5, 7]),
    ],
)
def test_some_slices(tmp_path: Path, options: list[str], numbers: list[int]) -> None:
    voxels = np.full((6, 7, 8), 1000, np.int16)
    voxels[:, :, :2] = -1000
    voxels[0, 0, 0] = 1000
    write(tmp_path / "v" / "sub" / "a.nii", voxels)
    assert slices(tmp_path / "v", "--out", tmp_path / "out", *options) == 0
    assert [row["path"] for row in rows(tmp_path / "out")] == [f"images/sub/a_{n:03}.png" for n in numbers]
    assert {row["patient"] for row in rows(tmp_path / "out")} == {"sub/a"}


def test_slices_stay_in_the_split_of_their_volume_and_masks_make_their_labels(tmp_path: Path) -> None:
    root, masks = tmp_path / "v", tmp_path / "masks"
    for seed, name in enumerate(("normal/a.nii.gz", "test/normal/b.nii.gz", "test/abnormal/c.nii.gz")):
        write(root / name, random(seed))
        inside = np.zeros((6, 7, 8), np.uint8)
        if "c.nii" in name:
            inside[1, 2, 3:5] = 4
        write(masks / name, inside)
    assert slices(root, "--out", tmp_path / "out", "--masks", masks) == 0
    who = Repartition.read(tmp_path / "out")
    assert len(who.normal) == 8 and not who.unlabeled and len(who.test) == 16
    abnormal = [entry for entry in who.test if entry.label]
    assert [entry.id for entry in abnormal] == [f"images/test/abnormal/c_{i:03}.png" for i in (4, 5)]
    # x runs to the left in the file: voxel 1 of 6 is the second from the right; y runs to the front
    for entry in abnormal:
        assert np.argwhere(np.asarray(Image.open(entry.mask))).tolist() == [[4, 1]]
    assert all(entry.mask is None for entry in who.test if not entry.label)


def test_only_abnormal_volumes_must_have_a_segmentation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, masks = tmp_path / "v", tmp_path / "masks"
    for seed, name in enumerate(("normal/a.nii", "unlabeled/b.nii", "test/normal/c.nii", "test/abnormal/d.nii")):
        write(root / name, random(seed))
    write(masks / "unlabeled" / "b.nii", np.zeros((6, 7, 8), np.uint8))
    assert slices(root, "--out", tmp_path / "out", "--masks", masks) == 2
    assert "named as these 1 volumes are, such as test/abnormal/d.nii" in capsys.readouterr().err
    write(masks / "test" / "abnormal" / "d.nii", np.ones((6, 7, 8), np.uint8))
    assert slices(root, "--out", tmp_path / "out", "--masks", masks) == 0
    assert "2 of 4 volumes have no segmentation, such as normal/a.nii" in capsys.readouterr().err
    who = Repartition.read(tmp_path / "out")
    assert [entry.label for entry in who.test] == [1] * 8 + [0] * 8
    assert {entry.label for entry in who.unlabeled} == {0}


def test_what_cannot_be_cut_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "v"
    write(root / "a.nii", random())
    write(root / "b.nii", np.zeros((3, 3, 3, 2), np.int16))
    content = bytearray((root / "a.nii").read_bytes())
    content[108:112] = b"\xff\xff\xff\xff"  # where the voxels begin: no number
    (root / "c.nii").write_bytes(content)
    (root / "readme.txt").write_text("text")
    (root / "gone.nii").symlink_to("nowhere.nii")
    assert slices(root, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert (
        "b.nii: holds several volumes (3 x 3 x 3 x 2)" in said
        and "8 slices of 3 volumes" in said
        and "c.nii: cannot be decoded" in said
        and "2 files that are no NIfTI" in said
    )
    assert len(rows(tmp_path / "out")) == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--every", "0"], "--every 0"),
        (["--foreground", "2"], "--foreground 2.0: give a share between 0 and 1"),
        (["--intensity", "bright"], "--intensity bright: choose dtype"),
        (["--masks", "none"], "no segmentation there is named as these 1 volumes are, such as a.nii"),
        (["--axis", "oblique"], "--axis oblique"),
    ],
)
def test_wrong_options(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str) -> None:
    write(tmp_path / "v" / "a.nii", random())
    assert slices(tmp_path / "v", "--out", tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_wrong_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume = write(tmp_path / "v" / "a.nii", random())
    for source, out, said in (
        (tmp_path / "gone", tmp_path / "out", "no such file or folder"),
        (tmp_path / "v", tmp_path / "v", "not empty"),
        (Path(__file__), tmp_path / "out", "no NIfTI volumes here"),
    ):
        assert slices(source, "--out", out) == 2
        assert said in capsys.readouterr().err
    write(tmp_path / "v" / "a.nii.gz", random())
    assert slices(tmp_path / "v", "--out", tmp_path / "out") == 2
    assert "the same name but for .nii and .nii.gz" in capsys.readouterr().err
    write(tmp_path / "m" / "a.nii", random(), np.eye(4))
    assert slices(volume, "--out", tmp_path / "out", "--masks", tmp_path / "m") == 1
    assert "lies elsewhere than" in capsys.readouterr().err
