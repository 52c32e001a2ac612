"""``medad audit`` on a data set with planted faults, and on real images."""

import csv
import json
import os
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from medad.cli.commands import main
from medad.data.audit import looking
from medad.data.readers import Header, decode
from medad.data.repartition import Repartition
from medad.workflows.audit import audit

DATA = Path(os.environ.get("MEDAD_DATA", ""))
real = pytest.mark.skipif(not DATA.name, reason="MEDAD_DATA names no folder of real images")
SECRET = "Meier^Anna 1947"


def picture(seed, side=128):
    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 8)
    return Image.fromarray(np.clip(128 + 35 * smooth / smooth.std(), 0, 255).astype(np.uint8))


def brighter(image, levels):
    return Image.fromarray((np.asarray(image).astype(int) + levels).clip(0, 255).astype(np.uint8))


@pytest.fixture
def planted(tmp_path):
    """Thirty normal, ten unlabeled and sixteen test images; six of the test images repeat others."""
    data = tmp_path / "planted"
    data.mkdir()
    rows = []

    def add(name, image, split, label="", patient="", **how):
        image.save(data / name, **how)
        rows.append([name, split, label, patient])

    for i in range(30):
        add(f"n{i:02}.png", picture(i), "normal", patient=SECRET if i == 0 else f"p{i}")
    for i in range(10):
        add(f"u{i}.png", picture(100 + i), "unlabeled", patient=f"u{i}")
    for i in range(10):
        add(f"t{i}.png", picture(200 + i), "test", i % 2, patient=SECRET if i == 0 else f"t{i}")
    shutil.copy(data / "n03.png", data / "t_copy.png")
    rows.append(["t_copy.png", "test", 0, "c"])
    add("t_jpeg.jpg", picture(4), "test", 0, quality=80)
    add("t_small.png", picture(5).resize((96, 96), Image.Resampling.LANCZOS), "test", 1)
    add("t_again.png", picture(200).resize((256, 256)), "test", 0)
    add("t_unlabeled.png", picture(100), "test", 0, optimize=True)
    add("t_brighter.png", brighter(picture(6), 8), "test", 0)
    write(data, rows)
    return data


def write(data, rows):
    with (data / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "split", "label", "patient"], *rows])


def read(data):
    with (data / "manifest.csv").open(newline="") as stream:
        return list(csv.reader(stream))[1:]


def test_what_was_planted_is_found_and_left_out(planted, tmp_path, capsys):
    out, cleaned = tmp_path / "out", planted / "cleaned.csv"
    assert main(["audit", str(planted), "--out", str(out), "--write-deduplicated", str(cleaned), "--jobs", "1"]) == 0
    record = json.loads((out / "audit.json").read_text())
    assert record["same_bytes"]["in_two_splits"] == record["same_bytes"]["groups"] == 1
    near = {tuple(sorted(pair[:2])) for pair in record["near"]["named"]}
    repeats = {("n03", "t_copy"), ("n04", "t_jpeg"), ("n05", "t_small"), ("t0", "t_again"), ("t_unlabeled", "u0")}
    assert {tuple(re.sub(r"\..*", "", name) for name in pair) for pair in near} == repeats
    assert record["near"]["test_in_training"] == {"test normal": 3, "test abnormal": 1}
    (patients,) = record["patients"]["in_two_splits"]
    assert patients == {
        "splits": ["normal", "test"],
        "shared": 1,
        "images": {"count": 2, "images": ["n00.png", "t0.png"]},
    }
    kept, all_of_them = Repartition.read(planted, cleaned), Repartition.read(planted)
    assert (kept.normal, kept.unlabeled) == (all_of_them.normal, all_of_them.unlabeled)
    gone = {entry.id for entry in all_of_them.test} - {entry.id for entry in kept.test}
    assert gone == {"t_copy.png", "t_jpeg.jpg", "t_small.png", "t_again.png", "t_unlabeled.png"}
    said = capsys.readouterr().err
    assert "Patients among both the normal and the test images: 1 (2 images)" in said
    page = (out / "audit.html").read_text()
    assert "default-src 'none'" in page and page.count("data:image/png;base64,") == 5
    for text in (page, (out / "audit.json").read_text(), said):
        assert "Meier" not in text and "1947" not in text


def test_the_order_of_the_list_changes_nothing(planted, tmp_path):
    first = audit(planted, out=tmp_path / "first", jobs=1)
    rows = read(planted)
    random.Random(0).shuffle(rows)
    write(planted, rows)
    assert audit(planted, out=tmp_path / "second", jobs=2) == first
    assert (tmp_path / "first" / "audit.html").read_text() == (tmp_path / "second" / "audit.html").read_text()


def test_files_with_faults_are_sorted_and_named(planted, tmp_path):
    rows = read(planted)
    whole = (planted / "n09.png").read_bytes()
    made = {
        "empty.png": b"",
        "cut.png": whole[: len(whole) // 2],
        "text.png": b"no picture",
    }
    for name, content in made.items():
        (planted / name).write_bytes(content)
    Image.new("L", (90, 90), 77).save(planted / "even.png")
    faint = np.full((90, 90), 77, np.uint8)
    faint[:45] += 2
    Image.fromarray(faint).save(planted / "faint.png")
    picture(300, 31).save(planted / "tiny.png")
    write(planted, [*rows, *([name, "normal", "", ""] for name in (*made, "even.png", "faint.png", "tiny.png"))])
    found = audit(planted, out=tmp_path / "out", jobs=1)["files"]
    kinds = ("empty", "truncated", "unreadable", "constant", "faint", "tiny")
    told = {kind: found[kind]["images"] for kind in kinds}
    assert told == {
        "empty": ["empty.png"],
        "truncated": ["cut.png"],
        "unreadable": ["text.png"],
        "constant": ["even.png"],
        "faint": ["faint.png"],
        "tiny": ["tiny.png"],
    }
    assert "known format" in found["reasons"]["text.png"]
    stretched = audit(planted, out=tmp_path / "stretched", intensity="file", jobs=1)["files"]
    assert stretched["faint"]["images"] == [] and stretched["constant"] == found["constant"]


def test_what_gives_the_lists_away_is_said(tmp_path):
    """Abnormal test images have a border, unlabeled ones are larger: no pathology is needed to tell them."""
    data = tmp_path / "data"
    for split, side in (("normal", 128), ("unlabeled", 150), ("test/normal", 128), ("test/abnormal", 128)):
        (data / split).mkdir(parents=True)
        for i in range(20):
            grey = np.asarray(picture(100 * len(split) + i, side)).copy()
            if "abnormal" in split:
                grey[:, :30] = 0
            Image.fromarray(grey).save(data / split / f"{i}.png")
    record = audit(data, out=tmp_path / "out", jobs=1)
    assert record["shortcuts"]["classes"]["features"]["border"][0] > 0.95
    assert record["shortcuts"]["pool"]["features"]["dimensions"][0] > 0.95
    assert "dimensions" not in record["shortcuts"]["normals"]["features"]
    assert record["groups"]["border"]["comparisons"]["classes"]["v"] > 0.9
    matters = [one["text"] for one in record["findings"] if one["matters"]]
    assert any(text.startswith("Border is spread differently over normal and abnormal test") for text in matters)
    assert any(text.startswith("Size is spread differently over normal and unlabeled") for text in matters)


def test_what_headers_say_is_used_and_nobody_is_named(tmp_path, monkeypatch, capsys):
    """Two eyes of a patient in different splits, a study in two, and another manufacturer for the abnormal ones."""
    data = tmp_path / "data"
    for split in ("normal", "test/normal", "test/abnormal"):
        (data / split).mkdir(parents=True)
        for i in range(8):
            picture(100 * len(split) + i).save(data / split / f"{i}.png")

    def header(path):
        split = path.parent.name  # both folders of normal images show the same patients
        patient = f"{SECRET} {split} {path.stem}"
        maker = "Aperture" if split == "abnormal" else "Black Mesa"
        side = "L" if path.parent.parent.name == "test" else "R"
        return Header(patient=patient, study=f"1.2.{patient}", laterality=side, manufacturer=maker)

    header_of = {path: header(path) for path in data.rglob("*.png")}
    monkeypatch.setattr(looking, "decode", lambda path, frame: replace(decode(path, frame), header=header_of[path]))
    record = audit(data, out=tmp_path / "out", jobs=1)
    patients = record["patients"]
    assert (patients["known"], patients["patients"], patients["laterality_parted"]) == (24, 16, 8)
    assert [one["shared"] for one in patients["study_in_two_splits"]] == [8]
    assert record["shortcuts"]["classes"]["features"]["manufacturer"][0] == 1
    counts = record["groups"]["manufacturer"]["comparisons"]["classes"]["counts"]
    assert counts == {"Aperture": (0, 8), "Black Mesa": (8, 0)}
    written = [file.read_text() for file in (tmp_path / "out").iterdir() if file.is_file()]
    assert not any("Meier" in text or "1947" in text for text in (*written, *capsys.readouterr()))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--write-deduplicated", "x.txt"], "--write-deduplicated x.txt: give a .json or .csv file"),
        (["--write-deduplicated", "planted/manifest.csv"], "is there already"),
        (["--write-deduplicated", "nowhere/x.csv"], "its folder does not exist"),
        (["--patient-pattern", "x"], "--patient-pattern x: put brackets around the patient"),
        (["--intensity", "gamma"], "--intensity gamma: choose dtype"),
        (["--jobs", "0"], "--jobs 0: must be at least 1"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(planted, tmp_path, capsys, monkeypatch, argv, said):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "planted", *argv]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    def audited(name, **options):
        return audit(DATA / name, out=tmp_path_factory.mktemp("audit") / name, **options)

    return audited


@pytest.mark.integration
@real
def test_brain_tumor_leaks_and_source_tells_its_classes(audited, tmp_path):
    cleaned = tmp_path / "cleaned.json"
    record = audited("brain_tumor", write_deduplicated=cleaned)
    assert abs(record["near"]["test_in_normals"]["test normal"] - 412) <= 1
    ours, published = (
        Repartition.read(DATA / "brain_tumor", file) for file in (cleaned, Path("data_deduplicated.json"))
    )
    assert ours == published
    told = record["shortcuts"]["classes_deduplicated"]["features"]
    assert told["mean_intensity"][0] == pytest.approx(0.88, abs=0.015)
    assert told["thumbnail"][0] == pytest.approx(0.90, abs=0.015)


@pytest.mark.integration
@real
def test_pediatric_cxr_is_told_by_a_thumbnail_and_its_normals_differ(audited):
    told = audited("pediatric_cxr")["shortcuts"]
    assert told["classes"]["features"]["thumbnail"][0] == pytest.approx(0.93, abs=0.015)
    assert told["normals"]["features"]["thumbnail"][1] > 0.8  # the lower end


@pytest.mark.integration
@real
@pytest.mark.parametrize("pattern", [None, r"^(\d+)_"])
def test_adult_cxr_has_patients_among_normals_and_unlabeled(audited, pattern):
    patients = audited("adult_cxr", patient_pattern=pattern)["patients"]
    (shared,) = (patients if pattern else patients["suggested"])["in_two_splits"]
    assert (shared["splits"], shared["shared"]) == (["normal", "unlabeled"], 26)
