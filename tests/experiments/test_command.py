"""Commands that read stored results say in one line what they need."""

import runpy
import sys

import pytest

COMMANDS = {
    "precision": [],
    "phantom": [],
    "controls": ["phantom"],
    "deduplicated": ["brain_tumor", "--data", "."],
}


def end_of(name, arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(f"medad.experiments.studies.{name}", run_name="__main__")
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    return end.value.code, line


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
@pytest.mark.parametrize("name", COMMANDS)
def test_outside_the_repository_one_line_says_what_is_missing(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, line = end_of(name, COMMANDS[name], monkeypatch, capsys)
    assert code == 2
    assert line.startswith("medad: error: docs/results: no such folder; call this in the repository")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
@pytest.mark.parametrize("name", ["controls", "deduplicated"])
def test_without_images_one_line_asks_for_them(name, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MEDAD_DATA", raising=False)
    code, line = end_of(name, ["brain_tumor", "--stored", str(tmp_path)], monkeypatch, capsys)
    assert (code, line.partition(":")[2][:15]) == (2, " error: --data:")
