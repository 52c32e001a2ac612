"""Published data sets whose images are DICOM or NIfTI, in small folders that mimic their layouts."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.publications import NORMAL, PUBLICATIONS, TEST, UNLABELED
from medad.data.repartition import Repartition


def prepare(name: str, source: Path, out: Path, *more: object) -> int:
    return main(["prepare", name, "--source", str(source), "--out", str(out), *map(str, more)])


def fewer(monkeypatch: pytest.MonkeyPatch, name: str, counts: dict[str, dict[str, int]]) -> None:
    """Ask for a few images instead of the published number."""
    monkeypatch.setitem(PUBLICATIONS, name, replace(PUBLICATIONS[name], counts=counts))


def kinds(entries) -> Counter:
    return Counter(entry.kind for entry in entries)


def total(name: str) -> Counter:
    counts = Counter()
    for part in PUBLICATIONS[name].counts.values():
        counts.update(part)
    return counts


def test_published_counts() -> None:
    """The totals of Cai et al. 2023, section 4.1, and of MedIAnomaly."""
    assert total("rsna") == {"": 8851, "lung opacity": 6012}
    assert total("vindr") == {"": 10606, "finding": 4394}
    assert PUBLICATIONS["brats2021"].counts == {"normal": {"": 4211}, "test": {"": 828, "tumour": 1948}}


def radiograph(path: Path, values: np.ndarray, photometric: str = "MONOCHROME2") -> None:
    """Write values as a DICOM file that asks for a narrow window and a slope, which are not to be applied."""
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    data, data.file_meta = Dataset(), FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = DigitalXRayImageStorageForPresentation, generate_uid()
    data.Rows, data.Columns = values.shape
    data.BitsAllocated = data.BitsStored = 8 * values.itemsize
    data.HighBit, data.PixelRepresentation, data.SamplesPerPixel = data.BitsStored - 1, 0, 1
    data.PhotometricInterpretation = photometric
    if values.itemsize > 1:
        data.WindowCenter, data.WindowWidth = 100, 10
    data.PixelData = values.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, data, enforce_file_format=True)


def published(values: np.ndarray, photometric: str) -> np.ndarray:
    """Do, step by step, what data/README.md and the specification say of the published preparation."""
    values = values.max() - values if photometric == "MONOCHROME1" else values
    if values.dtype != np.uint8:
        low, high = int(values.min()), int(values.max())
        values = ((values - low) * 1.0 / (high - low) * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(values).resize((512, 512), Image.Resampling.BILINEAR))


RNG = np.random.default_rng(0)
VALUES = {
    ("deep", "MONOCHROME2"): RNG.integers(30, 3000, (60, 40)).astype(np.uint16),
    ("inverted", "MONOCHROME1"): RNG.integers(30, 3000, (60, 40)).astype(np.uint16),
    ("flat", "MONOCHROME2"): RNG.integers(30, 200, (60, 40)).astype(np.uint8),
}


def test_rsna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "rsna", tmp_path / "out"
    for (name, photometric), values in VALUES.items():
        radiograph(source / "stage_2_train_images" / f"{name}.dcm", values, photometric)
    (source / "stage_2_detailed_class_info.csv").write_text(
        "patientId,class\ndeep,Normal\ninverted,Lung Opacity\ninverted,Lung Opacity\n"
        "other,No Lung Opacity / Not Normal\nflat,Normal\n"
    )
    fewer(
        monkeypatch, "rsna", {NORMAL: {"": 1}, UNLABELED: {"": 0, "lung opacity": 0}, TEST: {"": 1, "lung opacity": 1}}
    )
    assert prepare("rsna", source, out) == 0
    who = Repartition.read(out)
    assert len(who.normal) == 1 and kinds(who.test) == {"": 1, "lung opacity": 1}
    for (name, photometric), values in VALUES.items():
        picture = Image.open(out / "images" / f"{name}.png")
        assert picture.mode == "L"
        np.testing.assert_array_equal(np.asarray(picture), published(values, photometric), err_msg=name)


def test_vindr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "vindr", tmp_path / "out"
    for name in "abc":
        radiograph(source / "train" / f"{name}.dicom", VALUES["deep", "MONOCHROME2"])
    rows = [(i, "No finding", reader) for i in "ac" for reader in ("R1", "R2", "R3")]
    rows += [("b", "Nodule/Mass", "R1"), ("b", "Cardiomegaly", "R2"), ("b", "Cardiomegaly", "R3")]
    text = "".join(f"{i},{name},{reader}\n" for i, name, reader in rows)
    (source / "train.csv").write_text(f"image_id,class_name,rad_id\n{text}")
    fewer(monkeypatch, "vindr", {NORMAL: {"": 1}, UNLABELED: {}, TEST: {"": 1, "finding": 1}})
    assert prepare("vindr", source, out) == 0
    who = Repartition.read(out / "manifest.csv")
    assert kinds(who.test) == {"": 1, "Cardiomegaly and Nodule/Mass": 1} and len(who.normal) == 1
    assert Image.open(out / "images" / "b.png").size == (512, 512)


def test_brats2021_in_the_slices_of_medianomaly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "brats", tmp_path / "out"
    for folder, names in {
        "train": ["a_flair_70.png", "b_flair_71.png"],
        "test/normal": ["c_flair_70.png"],
        "test/tumor": ["d_flair_70.png"],
        "test/annotation": ["d_seg_70.png"],
    }.items():
        (source / folder).mkdir(parents=True)
        for name in names:
            Image.new("L", (8, 8), 3).save(source / folder / name)
    fewer(monkeypatch, "brats2021", {NORMAL: {"": 2}, TEST: {"": 1, "tumour": 1}})
    assert prepare("brats2021", source, out) == 0
    who = Repartition.read(out / "manifest.csv")
    (abnormal,) = (entry for entry in who.test if entry.label)
    assert abnormal.mask == out / "masks" / "d_flair_70.png" and abnormal.mask.is_file()
    assert len(who.normal) == 2 and not who.unlabeled and len(who.test) == 2
    (source / "test" / "annotation" / "d_seg_70.png").unlink()
    assert prepare("brats2021", source, tmp_path / "again") == 2


def volume(path: Path, voxels: np.ndarray, affine: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype), path)


BRATS_AFFINE = np.diag([-1.0, -1, 1, 1])  # that of BraTS: x runs to the left, y to the back


def test_brats2021_volumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "brats", tmp_path / "out"
    for number in range(5):
        name = f"BraTS2021_{number:05}"
        flair, seg = np.zeros((6, 7, 155), np.int16), np.zeros((6, 7, 155), np.uint8)
        flair[1:5, 1:6] = np.arange(155) * 10 + number
        seg[2, 1, 50:60] = 4
        volume(source / name / f"{name}_flair.nii.gz", flair, BRATS_AFFINE)
        volume(source / name / f"{name}_seg.nii.gz", seg, BRATS_AFFINE)
        volume(source / name / f"{name}_t1.nii.gz", flair, BRATS_AFFINE)
    assert prepare("brats2021", source, out) == 0
    assert "our own, not MedIAnomaly's" in capsys.readouterr().err
    who = Repartition.read(out / "manifest.csv")
    frames = [*range(43, 113, 5)]
    assert len(frames) == 14
    ill = [f"images/BraTS2021_00004_flair_{frame:03}.png" for frame in frames if 50 <= frame - 1 < 60]
    assert [entry.id for entry in who.test if entry.label] == ill and len(who.test) == 14
    assert kinds(who.unlabeled) == {"": 12, "tumour": 2}
    assert Counter(entry.patient for entry in who.normal) == {f"BraTS2021_{n:05}": 12 for n in range(3)}
    row = next(r for r in csv.DictReader((out / "manifest.csv").open()) if r["path"] == ill[0])
    assert row["mask"] == ill[0].replace("images", "masks")
    # voxel (2, 1): third from the right of the patient, and second from the front
    assert np.argwhere(np.asarray(Image.open(out / row["mask"]))).tolist() == [[1, 2]]
    assert np.asarray(Image.open(out / ill[0])).dtype == np.uint16
    (source / "BraTS2021_00000" / "BraTS2021_00000_seg.nii.gz").unlink()
    assert prepare("brats2021", source, tmp_path / "again") == 2
    assert "must lie beside the volumes" in capsys.readouterr().err


def test_mood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "mood", tmp_path / "out"
    for number in range(5):
        voxels = np.zeros((4, 5, 256), np.float32)
        voxels[1, 1] = np.arange(256) / 255
        volume(source / "brain_train" / f"{number:05}.nii.gz", voxels, np.eye(4))
    assert prepare("mood", source, out) == 0
    who = Repartition.read(out)
    assert len(who.normal) == 60 and [entry.id for entry in who.test] == [f"images/0000{n}_129.png" for n in (3, 4)]
    assert {entry.label for entry in who.test} == {0}
    picture = np.asarray(Image.open(out / "images" / "00000_121.png"))
    assert picture.max() == np.rint(120 / 255 * 65535) and picture[3, 2] == picture.max()
    volume(source / "brain_train" / "00009.nii.gz", np.zeros((4, 5, 100), np.float32), np.eye(4))
    assert prepare("mood", source, tmp_path / "again") == 2
    assert "fewer than 256 axial slices" in capsys.readouterr().err
