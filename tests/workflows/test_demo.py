"""``medad demo``, shortened: fewer images and preset tiny."""

from functools import partial
from pathlib import Path

import pytest

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.ownership import claimed
from medad.workflows import demo


@pytest.mark.integration
def test_the_demo_writes_a_report_and_replaces_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "phantom_benchmark", partial(phantom_benchmark, normal=6, unlabeled=5, test=(3, 4)))
    monkeypatch.setattr(demo, "TrainOptions", lambda preset, **rest: demo_options(**rest))
    out = tmp_path / "demo"
    for _ in range(2):
        assert main(["demo", "--out", str(out), "--jobs", "1", "--device", "cpu"]) == 0
        assert f"report: {out / 'report.html'}" in capsys.readouterr().out
        assert (out / "report.html").exists() and (out / "phantoms" / "manifest.csv").exists()
        for name in ("thesis.tex", "phantoms/images/scan.dcm"):
            (out / name).write_text("mine")
    assert all((out / name).read_text() == "mine" for name in ("thesis.tex", "phantoms/images/scan.dcm"))


def demo_options(**rest):
    from medad.workflows.options import TrainOptions

    return TrainOptions(preset="tiny", **rest)


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """Start a demo in ``tmp_path/out``, which must be refused with everything there spared; return the line."""
    monkeypatch.setattr(demo, "phantom_benchmark", lambda **_: pytest.fail("the demo went on"))

    def run():
        before = sorted(tmp_path.rglob("*"))
        assert main(["demo", "--out", str(tmp_path / "out")]) == 2
        assert sorted(tmp_path.rglob("*")) == before
        (line,) = capsys.readouterr().err.splitlines()
        assert str(tmp_path / "out") in line and "--out" in line
        return line

    return run


@pytest.mark.parametrize("foreign", ["thesis.tex", "phantoms/scan.dcm", "phantoms/images/scan.png"])
def test_whatever_no_demo_wrote_is_spared(foreign, refused, tmp_path):
    out = tmp_path / "out"
    (out / "phantoms" / "images").mkdir(parents=True)
    (out / "phantoms" / "data.json").touch()
    (out / foreign).touch()
    assert f"{out / 'phantoms'}: not known to be of medad demo" in refused()


def test_a_run_that_is_no_demo_is_spared(refused, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.yaml").touch()
    assert "run.yaml" in refused()


def test_what_cannot_be_removed_is_told(tmp_path, capsys, monkeypatch):
    with claimed(tmp_path / "out", "demo", ["scores.csv"]):
        (tmp_path / "out" / "scores.csv").touch()

    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    assert f"{tmp_path / 'out'}: cannot be written to (Permission denied)" in capsys.readouterr().err
