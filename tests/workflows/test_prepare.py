"""Published data sets, in folders that mimic their layouts."""

import json
from collections import Counter
from pathlib import Path

import pytest

from medad.cli.commands import main
from medad.data.repartition import Repartition


def fill(folder: Path, names) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"image")


KINDS = {"no": ("notumor", 1595, 405), "gl": ("glioma", 400, 300), "me": ("meningioma", 350, 300)}


def named(short: str) -> list[str]:
    _, training, testing = KINDS[short]
    return [f"{part}-{short}_{i:04}.jpg" for part, count in (("Tr", training), ("Te", testing)) for i in range(count)]


@pytest.fixture
def brain(tmp_path):
    source = tmp_path / "kaggle"
    for short, (kind, training, _) in KINDS.items():
        fill(source / "Training" / kind, named(short)[:training])
        fill(source / "Testing" / kind, named(short)[training:])
    fill(source / "Training" / "pituitary", ["Tr-pi_0000.jpg"])
    return source


def counts(entries):
    return Counter(entry.kind for entry in entries)


def prepare(*argv) -> int:
    return main(["prepare", *map(str, argv)])


def test_brain_tumor_with_a_seeded_split(brain, tmp_path, capsys):
    out = tmp_path / "out"
    assert prepare("brain_tumor", "--source", brain, "--out", out) == 0
    who = Repartition.read(out)
    assert counts(who.normal) == {"": 1000}
    assert counts(who.unlabeled) == {"": 400, "glioma": 300, "meningioma": 300}
    assert counts(who.test) == {"": 600, "glioma": 300, "meningioma": 300}
    assert not any("pi_" in entry.id for entry in who.normal + who.unlabeled + who.test)
    said = capsys.readouterr().err
    assert "Nickparvar" in said
    assert "Cai et al., Medical Image Analysis 2023" in said
    assert "drawn with seed 0" in said
    for other, seed in (("same", 0), ("another", 1)):
        assert prepare("brain_tumor", "--source", brain, "--out", tmp_path / other, "--seed", seed) == 0
    text = (out / "data.json").read_text()
    assert (tmp_path / "same" / "data.json").read_text() == text
    assert (tmp_path / "another" / "data.json").read_text() != text
    assert Repartition.read(out / "manifest.csv").test == who.test


def published(brain, tmp_path, change=lambda document: None) -> Path:
    normal, glioma, meningioma = map(named, KINDS)
    document = {
        "train": {"0": normal[:1000], "unlabeled": {"0": normal[1000:1400], "1": glioma[:300] + meningioma[:300]}},
        "test": {"0": normal[1400:], "1": glioma[300:600] + meningioma[300:600]},
    }
    change(document)
    file = tmp_path / "data.json"
    file.write_text(json.dumps(document))
    return file


def test_brain_tumor_with_the_published_split(brain, tmp_path, capsys):
    file, out = published(brain, tmp_path), tmp_path / "out"
    assert prepare("brain_tumor", "--source", brain, "--out", out, "--split", file) == 0
    assert json.loads((out / "data.json").read_text()) == json.loads(file.read_text())
    assert counts(Repartition.read(out).test) == {"": 600, "glioma": 300, "meningioma": 300}
    assert "drawn" not in capsys.readouterr().err


def test_what_does_not_fit_the_published_split_is_named(brain, tmp_path, capsys):
    file = published(brain, tmp_path, lambda d: d["train"]["0"].append("gone.jpg"))
    assert prepare("brain_tumor", "--source", brain, "--out", tmp_path / "out", "--split", file) == 2
    assert "1 of its images are not in the source, the first is gone.jpg" in capsys.readouterr().err
    file = published(brain, tmp_path, lambda d: d["test"]["0"].append("Te-gl_0299.jpg"))
    assert prepare("brain_tumor", "--source", brain, "--out", tmp_path / "out", "--split", file) == 2
    assert "Te-gl_0299.jpg has another label than its folder" in capsys.readouterr().err


def test_missing_images_are_counted(brain, tmp_path, capsys):
    (brain / "Testing" / "notumor" / "Te-no_0000.jpg").unlink()
    assert prepare("brain_tumor", "--source", brain, "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert f"--source {brain}: images are missing (test, normal: 599 of 600); it must hold: M. Nickparvar" in error
    assert not (tmp_path / "out").exists()
    fill(brain / "Testing" / "notumor", ["Tr-no_0001.jpg"])
    assert prepare("brain_tumor", "--source", brain, "--out", tmp_path / "out") == 2
    assert "1 names occur twice" in capsys.readouterr().err


def test_lag(tmp_path):
    source = tmp_path / "LAG_database"
    for part, start in (("LAG_database_part_1", 0), ("LAG_database_part_2", 1)):
        for kind, count, first in (("non_glaucoma", 3143, 0), ("suspicious_glaucoma", 1711, 4000)):
            names = [f"{i:04}.jpg" for i in range(first + start, first + count, 2)]
            fill(source / part / kind / "image", names)
            fill(source / part / kind / "attention_map", names[:3])
    assert prepare("lag", "--source", source, "--out", tmp_path / "out") == 0
    who = Repartition.read(tmp_path / "out")
    assert (counts(who.normal), counts(who.unlabeled)) == ({"": 1500}, {"": 832, "glaucoma": 900})
    assert counts(who.test) == {"": 811, "glaucoma": 811}


CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def test_isic2018(tmp_path, capsys):
    source, number = tmp_path / "isic", 0
    for part, sizes in (("Training", (2, 6705, 2, 0, 0, 0, 0)), ("Test", (171, 909, 93, 43, 217, 44, 35))):
        name = f"ISIC2018_Task3_{part}"
        rows = [",".join(["image", *CLASSES])]
        for kind, size in enumerate(sizes):
            names = [f"ISIC_{number + i:07}" for i in range(size)]
            number += size
            fill(source / f"{name}_Input", (f"{n}.jpg" for n in names))
            rows += [",".join([n, *(f"{float(k == kind)}" for k in range(7))]) for n in names]
        fill(source / f"{name}_GroundTruth", [f"{name}_GroundTruth.csv"])
        (source / f"{name}_GroundTruth" / f"{name}_GroundTruth.csv").write_text("\n".join(rows) + "\n")
    assert prepare("isic2018", "--source", source, "--out", tmp_path / "out") == 0
    who = Repartition.read(tmp_path / "out")
    assert (len(who.normal), len(who.unlabeled)) == (6705, 0)
    assert counts(who.test) == {"": 909, "MEL": 171, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35}
    assert "MedIAnomaly" in capsys.readouterr().err
    (source / "ISIC2018_Task3_Test_Input" / f"{'ISIC_' + str(number - 1).zfill(7)}.jpg").unlink()
    assert prepare("isic2018", "--source", source, "--out", tmp_path / "again") == 2
    assert "1 of 8217 images are missing" in capsys.readouterr().err
    table = source / "ISIC2018_Task3_Test_GroundTruth" / "ISIC2018_Task3_Test_GroundTruth.csv"
    table.write_text("name,MEL\na,1\n")
    assert prepare("isic2018", "--source", source, "--out", tmp_path / "again") == 2
    assert "has no column image" in capsys.readouterr().err
    table.write_bytes(b"\xff\xfe")
    assert prepare("isic2018", "--source", source, "--out", tmp_path / "again") == 2
    assert "cannot be read" in capsys.readouterr().err
    table.unlink()
    assert prepare("isic2018", "--source", source, "--out", tmp_path / "again") == 2
    assert "unpack the ground truth there" in capsys.readouterr().err


def test_camelyon16(tmp_path):
    for folder, count in (("train/good", 5088), ("test/good", 1120), ("test/Ungood", 1113)):
        fill(tmp_path / "c16" / folder, (f"{folder.replace('/', '_')}_{i}.png" for i in range(count)))
    assert prepare("camelyon16", "--source", tmp_path / "c16", "--out", tmp_path / "out") == 0
    who = Repartition.read(tmp_path / "out")
    assert (len(who.normal), counts(who.test)) == (5088, {"": 1120, "tumour": 1113})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rsna", "unpack the competition's files there"),
        ("vindr", "unpack the competition's files there"),
        ("brats2021", "no NIfTI volumes here"),
        ("mood", "no NIfTI volumes here"),
        ("mnist", "no such data set; there are brain_tumor, lag"),
        ("vinder", "did you mean vindr?"),
        ("lag", "no images here"),
    ],
)
def test_what_cannot_be_prepared_is_said(tmp_path, capsys, name, said):
    (tmp_path / "source").mkdir()
    assert prepare(name, "--source", tmp_path / "source", "--out", tmp_path / "out") == 2
    assert said in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(brain, tmp_path, capsys):
    assert prepare("brain_tumor", "--source", brain, "--out", tmp_path) == 2
    assert "not empty" in capsys.readouterr().err
    assert prepare("brain_tumor", "--source", tmp_path / "none", "--out", tmp_path / "out") == 2
    assert "no such folder" in capsys.readouterr().err
