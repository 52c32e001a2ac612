"""``medad watch``: days are held against those before; the state lies in the run, and damage is told."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.repartition import Repartition


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """Return folders of cases: three days alike, and one that is darker."""
    folder = tmp_path_factory.mktemp("days")
    write_phantoms(folder / "all", phantom_benchmark(normal=120, unlabeled=2, test=(2, 2), seed=7))
    files = [entry.path for entry in Repartition.read(folder / "all").normal]
    for number in range(4):
        (folder / str(number)).mkdir()
        for file in files[30 * number : 30 * number + 30]:
            pixels = np.asarray(Image.open(file)).astype(float) * (0.4 if number == 3 else 1)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / str(number) / file.name)
    return [folder / str(number) for number in range(4)]


@pytest.fixture
def run(run_on_pixels, tmp_path):
    return shutil.copytree(run_on_pixels("knn"), tmp_path / "run")


def test_days_that_are_alike_are_no_evidence_and_a_change_is(run, days, capsys):
    for number, status in ((0, 0), (1, 0), (2, 0), (3, 1)):
        assert main(["watch", str(run), str(days[number]), "--date", f"2026-03-0{number + 1}"]) == status
    told = capsys.readouterr().err.splitlines()
    assert "30 cases of 2026-03-01 are what later ones are held against" in told[-4]
    assert "changed since 2026-03-01" in told[-2] and "20 is some" in told[-2]
    assert "MUCH" in told[-1] and "medad check" in told[-1]
    state = json.loads((run / "calibration" / "local.stream.json").read_text())
    assert [day["cases"] for day in state["days"]] == [30] * 4 and state["stream"]["cases"] == 90
    assert len(state["stream"]["scores"]) == 120 and "normal" not in json.dumps(state)


def test_what_cannot_be_watched(run, days, tmp_path, capsys):
    few = tmp_path / "few"
    few.mkdir()
    for file in sorted(days[0].iterdir())[:5]:
        shutil.copy(file, few)
    assert main(["watch", str(run), str(few)]) == 2
    assert "5 cases are too few to begin with: give 20 or more" in capsys.readouterr().err
    assert main(["watch", str(run), str(days[0]), "--date", "yesterday"]) == 2
    assert "--date yesterday: give year, month and day" in capsys.readouterr().err
    assert main(["watch", str(run), str(days[0]), "--date", "2026-03-01"]) == 0
    assert main(["watch", str(run), str(days[1]), "--date", "2026-03-01"]) == 2
    assert "the cases of 2026-03-01 have been seen" in capsys.readouterr().err
    (run / "calibration" / "local.stream.json").write_text("{")
    assert main(["watch", str(run), str(days[1]), "--date", "2026-03-02"]) == 2
    assert "remove it to begin anew" in capsys.readouterr().err
