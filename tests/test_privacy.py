"""Nothing that identifies a patient is in anything that is written or said; names of files are the user's own."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.readers import registry

WHO = {
    "PatientName": "Zwetschge^Adelheid",
    "PatientID": "PID-7305518",
    "PatientBirthDate": "19410703",
    "AccessionNumber": "ACC-9914427",
    "InstitutionName": "Klinikum Hinterwald",
    "ReferringPhysicianName": "Quackenbush^Ottokar",
    "OtherPatientIDs": "ALT-66120",
    "StudyDescription": "Kontrolle nach Sturz",
}
PARTS = (
    "zwetschge",
    "adelheid",
    "7305518",
    "19410703",
    "1941-07-03",
    "9914427",
    "hinterwald",
    "ottokar",
    "66120",
    "nach sturz",
)
DEVICE = ("--device", "cpu")


def write_dicom(path: Path, pixels: np.ndarray, who: dict[str, str] = WHO) -> None:
    """Write a DICOM file of 8 or 16 bits that names a patient; where no reader reads DICOM, a PNG that does."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole = FileDataset(path, {}, file_meta=meta, preamble=bytes(128))
    whole.SOPClassUID, whole.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    for name, value in who.items():
        setattr(whole, name, value)
    whole.Modality, whole.SamplesPerPixel, whole.PhotometricInterpretation = "CT", 1, "MONOCHROME2"
    whole.Rows, whole.Columns = pixels.shape
    whole.BitsAllocated = whole.BitsStored = 8 * pixels.itemsize
    whole.HighBit, whole.PixelRepresentation, whole.PixelData = whole.BitsStored - 1, 0, pixels.tobytes()
    whole.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="module")
def reads_dicom(tmp_path_factory: pytest.TempPathFactory) -> bool:
    file = tmp_path_factory.mktemp("try") / "a.dcm"
    write_dicom(file, np.zeros((8, 8), np.uint8))
    return any(reader.knows(file.read_bytes()[:512]) for reader in registry.READERS)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, reads_dicom: bool) -> Path:
    """Return a data set whose manifest names patients, and whose files do where they can."""
    folder = tmp_path_factory.mktemp("named") / "data"
    write_phantoms(folder, phantom_benchmark(normal=12, unlabeled=6, test=(4, 4)))
    if (folder / "manifest.csv").exists():
        with (folder / "manifest.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        old = folder / row["path"]
        if reads_dicom:
            new = old.with_suffix(".dcm")
            write_dicom(new, np.asarray(Image.open(old).convert("L")), WHO | {"PatientID": f"PID-7305518-{number}"})
            old.unlink()
            row["path"] = new.relative_to(folder).as_posix()
        row["patient"] = f"{WHO['PatientName']} {WHO['PatientBirthDate']} {number}" if number % 2 else ""
    (folder / "data.json").unlink(missing_ok=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def found_in(name: str, content: bytes) -> list[str]:
    """Return what of the patient is in a name or a content, in any case, in UTF-8 or UTF-16."""
    texts = (f"{name}\n{content.decode('utf-8', 'replace')}".lower(), content.decode("utf-16-le", "replace").lower())
    return [f"{name}: {part}" for part in PARTS if any(part in text for text in texts)]


def leaks(folders: list[Path], said: str) -> list[str]:
    files = [file for folder in folders for file in folder.rglob("*")]
    found = [leak for file in files for leak in found_in(str(file), file.read_bytes() if file.is_file() else b"")]
    return found + found_in("said", said.encode())


def test_what_is_looked_for_would_be_found(named: Path, tmp_path: Path) -> None:
    assert leaks([named], "")
    assert found_in("said", b"for Zwetschge^Adelheid") == ["said: zwetschge", "said: adelheid"]
    assert found_in("x", "1941-07-03".encode("utf-16-le")) == ["x: 1941-07-03"]


def test_no_output_of_a_run_names_a_patient(
    named: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], reads_dicom: bool
) -> None:
    run, out, again = (tmp_path / name for name in ("run", "out", "again"))
    options = ("--preset", "tiny", "--jobs", "1", *DEVICE, "--options.holdout", "0.2")
    assert main(["run", str(named), "--out", str(run), *options]) == 0
    assert main(["evaluate", str(run), str(named), "--out", str(again), *DEVICE]) == 0
    images = tmp_path / "images"
    shutil.copytree(named / "images", images)
    write_dicom(images / "short.dcm", np.zeros((64, 64), np.uint8))
    (images / "short.dcm").write_bytes((images / "short.dcm").read_bytes()[:-2000])
    assert main(["predict", str(run), str(images), "--out", str(out), *DEVICE]) == 1
    said = "".join(capsys.readouterr())
    audit, lists = tmp_path / "audit", tmp_path / "clean.json"
    assert main(["audit", str(named), "--out", str(audit), "--write-deduplicated", str(lists)]) == 0
    said += "".join(capsys.readouterr())
    assert (audit / "audit.html").exists() and lists.exists()
    assert {file.name for file in out.iterdir()} >= {"scores.csv", "failed.csv", "worklist.html", "heatmaps"}
    assert (run / "report.html").exists() and (again / "report.html").exists() and any((cache / "images").iterdir())
    assert leaks([run, out, again, audit, cache], said) == []


@pytest.mark.parametrize(
    "fault", ["no such split", "no such label", "patients in two splits", "unreadable", "bad value"]
)
def test_no_error_names_a_patient(
    fault: str, named: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(named, tmp_path / "data")
    manifest = folder / "manifest.csv"
    text = manifest.read_text()
    if fault == "no such split":
        manifest.write_text(text.replace(",test,", ",tests,"))
    elif fault == "no such label":
        manifest.write_text(text.replace(",test,1", ",test,2"))
    elif fault == "patients in two splits":
        manifest.write_text("\n".join(line.replace(",,", f",{WHO['PatientName']},") for line in text.splitlines()))
    else:
        victim = next(iter(sorted((folder / "images").iterdir())))
        write_dicom(victim, np.zeros((64, 64), np.uint8))
        data = victim.read_bytes()
        broken = data[:-3000] if fault == "unreadable" else data.replace(b"US\x02\x00", b"PN\x02\x00")
        victim.write_bytes(broken.replace(b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x10\x00LO\x02\x00"))
    options = ("--preset", "tiny", "--jobs", "1", *DEVICE)
    status = main(["run", str(folder), "--out", str(tmp_path / "run"), *options])
    said = "".join(capsys.readouterr())
    assert leaks([tmp_path / "run", cache], said) == []
    assert status in (0, 1, 2) and (status or fault == "patients in two splits")
