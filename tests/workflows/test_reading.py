"""How files are read is chosen once, recorded, and the same in every later command."""

from pathlib import Path

import numpy as np
import pytest
from conftest import TINY
from PIL import Image

from medad.cli.commands import main
from medad.detectors.registry import load_detector
from medad.training.run_folder import read_run
from medad.workflows import predict as workflow


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen oblong signed images, which go by their names into the splits of a manifest."""
    folder = tmp_path_factory.mktemp("deep")
    rng = np.random.default_rng(0)
    for name in ("normal", "unlabeled", "test/normal", "test/abnormal"):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            values = rng.integers(-1000, 400, (48, 80)).astype(np.int32)
            Image.fromarray(values).save(folder / name / f"{i}.tif")
    return folder


READING = ("--fit", "pad", "--intensity", "window", "-1000", "400")


@pytest.fixture(scope="module")
def run(deep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "deep"
    assert main(["run", "--out", str(out), *TINY, "--method", "mahalanobis", *READING, str(deep)]) == 0
    return out


def test_the_run_tells_how_its_images_were_read(run: Path) -> None:
    told = read_run(run)
    assert told["intensity"]["rule"] == "window -1000 400"
    assert told["intensity"]["applied"]["normal"] == {"TIFF, 32 bits: from -1000 to 400": 4}
    options = load_detector(run).options
    assert options.fit == "pad" and options.preprocessing.rule.low == -1000


def test_predict_reads_as_the_run_did(run: Path, deep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    original = workflow.decode_ahead
    monkeypatch.setattr(workflow, "decode_ahead", lambda e, how, *rest: seen.append(how) or original(e, how, *rest))
    assert main(["predict", str(run), str(deep / "test"), "--out", str(tmp_path / "out")]) == 0
    assert seen == [load_detector(run).options.preprocessing]
    with Image.open(tmp_path / "out" / "heatmaps" / "normal" / "0.tif.png") as heatmap:
        assert heatmap.size == (80, 48)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [(["gamma"], "choose dtype"), (["window", "5"], "choose dtype"), (["window", "5", "1"], "the lower one first")],
)
def test_a_rule_that_is_none(deep: Path, typed: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(deep), "--intensity", *typed]) == 2
    assert "--intensity" in (line := capsys.readouterr().err) and problem in line and line.count("\n") == 1
