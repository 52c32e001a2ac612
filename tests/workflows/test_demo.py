"""``medad demo``, shortened: fewer images and preset tiny."""

from functools import partial

import pytest

from medad.cli import main
from medad.data.phantom import phantom_benchmark
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


def demo_options(**rest):
    from medad.workflows.options import TrainOptions

    return TrainOptions(preset="tiny", **rest)
