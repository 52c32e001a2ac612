"""``medad synthesize``: its sheet, its line, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.synthesis.registry import SYNTHESES


def data_of(folder: Path, count: int) -> Path:
    """Write a data set of so many normal images, and one abnormal test image that nobody can read."""
    (folder / "normal").mkdir(parents=True)
    (folder / "test" / "abnormal").mkdir(parents=True)
    (folder / "test" / "abnormal" / "broken.png").write_text("no picture")
    rng = np.random.default_rng(0)
    for i in range(count):
        coarse = Image.fromarray(rng.integers(60, 256, (8, 8), dtype=np.uint8))
        coarse.resize((48, 48), Image.Resampling.BICUBIC).save(folder / "normal" / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_of(tmp_path_factory.mktemp("data"), 5)


def synthesize(*argv: object) -> int:
    return main(["synthesize", *map(str, argv)])


@pytest.mark.parametrize("method", SYNTHESES)
def test_a_sheet_and_a_line(method, data, tmp_path, capsys):
    out = tmp_path / "new" / "sheet.png"
    assert synthesize(method, data, "--out", out, "--size", 64, "--count", 3) == 0
    said = capsys.readouterr()
    assert said.err.endswith(f" of 3 images stayed clean; the sheet is {out}\n")
    assert said.err.count("\n") == 1 and said.out == ""
    with Image.open(out) as picture:
        picture.load()
        assert picture.width > 400


def test_a_seed_repeats_and_a_sheet_is_replaced(data, tmp_path):
    out, sheets = tmp_path / "sheet.png", []
    for seed in (0, 0, 1):
        assert synthesize("fpi", data, "--out", out, "--size", 32, "--seed", seed) == 0
        sheets.append(out.read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]


def test_nothing_else_is_overwritten(data, tmp_path, capsys):
    picture, folder, link = tmp_path / "x.png", tmp_path / "folder", tmp_path / "link.png"
    Image.new("L", (4, 4)).save(picture)
    before = picture.read_bytes()
    folder.mkdir()
    link.symlink_to(tmp_path / "nowhere")
    for out in (picture, folder, link):
        assert synthesize("fpi", data, "--out", out) == 2
        assert f"{out}: is there, and no sheet of medad synthesize; choose another --out" in capsys.readouterr().err
    assert picture.read_bytes() == before


@pytest.mark.parametrize(
    ("count", "method", "said"),
    [
        (1, "nsa", "nsa needs two normal images: one is changed, the other gives the patch; list more"),
        (0, "cutpaste", "cutpaste needs normal images; list more"),
    ],
)
def test_too_few_images(count, method, said, tmp_path, capsys):
    assert synthesize(method, data_of(tmp_path / "few", count), "--out", tmp_path / "sheet.png") == 2
    line = capsys.readouterr().err
    assert said in line and line.startswith(f"medad: error: {tmp_path / 'few'}: ") and line.count("\n") == 1
    assert not (tmp_path / "sheet.png").exists()


def test_one_image_is_enough_for_its_own_patches(tmp_path):
    assert synthesize("cutpaste", data_of(tmp_path / "one", 1), "--out", tmp_path / "sheet.png") == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["nsaa"], "method nsaa: choose from fpi, pii, nsa, cutpaste, asr, perlin; did you mean nsa?"),
        (["nsa", "--size", 7], "--size 7: must be at least 8"),
        (["nsa", "--count", 0], "--count 0: must be at least 1"),
        (["nsa", "--seed", -1], "--seed -1: must be at least 0"),
    ],
)
def test_bad_options(argv, said, data, tmp_path, capsys):
    method, *options = argv
    assert synthesize(method, data, "--out", tmp_path / "sheet.png", *options) == 2
    assert capsys.readouterr().err == f"medad: error: {said}\n"
