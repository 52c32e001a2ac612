"""Commands that print pages say in one line what they need."""

import runpy
import sys

import pytest

COMMANDS = {
    "overview": [],
    "ledger": [],
    "precision": [],
    "refinement_page": [],
    "phantom_page": [],
    "reproduce.reprint": [],
    "table3": ["brain_tumor"],
    "methods_page": ["brain_tumor"],
    "deduplicated": ["brain_tumor", "--data", "."],
}


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
@pytest.mark.parametrize("name", COMMANDS)
def test_outside_the_repository_one_line_says_what_is_missing(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *COMMANDS[name]])
    with pytest.raises(SystemExit) as end:
        runpy.run_module(f"medad.experiments.{name}", run_name="__main__")
    assert end.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("medad: error: docs/results: no such folder; call this in the repository")
    assert not list(tmp_path.iterdir())
