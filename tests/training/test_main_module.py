"""What the main module defines trains: in processes where they can see it, in this one otherwise, and it says why."""

import os
import subprocess
import sys
import types
from dataclasses import replace
from multiprocessing.spawn import get_preparation_data
from pathlib import Path

import pytest

from medad.training.main_module import main_hidden, needs_main, reason_to_stay
from tests.training.test_loop import Slow, make_spec

ROOT = Path(__file__).parents[2]
OWN = """
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from medad.training.workers import train_phases
from tests.training.test_loop import Slow, make_spec
@dataclass(frozen=True)
class Mine(Slow):
    pass
"""
TRAIN = "train_phases([replace(make_spec(f'net{i}'), build=Mine()) for i in range(2)], Path(sys.argv[1]), jobs=2)"


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Run a call as the script does whose text is given, on work that the script defines."""
    main = types.ModuleType("__main__")
    main.Mine = type("Mine", (Slow,), {"__module__": "__main__"})
    main.work = replace(make_spec(), build=main.Mine())
    main.reason_to_stay = reason_to_stay
    monkeypatch.setitem(sys.modules, "__main__", main)

    def run(text, file=True):
        if file:
            main.__file__ = str(tmp_path / "script.py")
            Path(main.__file__).write_text(text)
        exec(compile(text, "script.py", "exec"), vars(main))
        return main.reason

    return run


CALL = "reason = reason_to_stay(work)"
GUARDED = 'if __name__ == "__main__":\n    '


def test_what_the_main_module_does_not_define_goes_to_processes(own):
    assert not needs_main(make_spec())
    assert own(f"work = 1\n{CALL}") is None
    assert own(f"work = 1\n{CALL}", file=False) is None


def test_a_script_is_run_again_only_where_that_does_not_call_fit_again(own):
    assert own(GUARDED + CALL) is None
    assert own(f"def main():\n    global reason\n    {CALL}\n{GUARDED}main()") is None
    for text in (CALL, f"def main():\n    global reason\n    {CALL}\nmain()", f"{GUARDED}pass\n{CALL}"):
        assert "put the call of fit under `if __name__" in own(text)


def test_what_has_no_file_cannot_be_run_again(own, tmp_path):
    assert "import it from there" in own(GUARDED + CALL, file=False)
    sys.modules["__main__"].__file__ = "<stdin>"
    assert "import it from there" in own(CALL, file=False)


def test_what_cannot_be_pickled_stays():
    assert "define it in a file" in reason_to_stay(lambda: None)


def test_a_module_that_calls_fit_while_it_is_imported_would_wait_for_itself(tmp_path, monkeypatch):
    text = "from medad.training.main_module import reason_to_stay\nclass Mine: pass\nreason = reason_to_stay(Mine())\n"
    (tmp_path / "fits_at_import.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import fits_at_import

    assert "put the call of fit under" in fits_at_import.reason
    assert reason_to_stay(fits_at_import.Mine()) is None


def test_processes_do_not_run_a_script_that_they_do_not_need(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", "script.py", raising=False)
    monkeypatch.setattr(main, "__spec__", None)
    with main_hidden():
        assert not hasattr(main, "__file__") and "init_main_from_path" not in get_preparation_data("worker")
    assert get_preparation_data("worker")["init_main_from_path"].endswith("script.py")


@pytest.mark.parametrize("guarded", [False, True])
def test_standard_input_trains_in_one_process_and_a_guarded_script_in_several(tmp_path, guarded):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    (tmp_path / "script.py").write_text(OWN + GUARDED + TRAIN)
    source = str(tmp_path / "script.py") if guarded else "-"
    done = subprocess.run(
        [sys.executable, source, tmp_path], input=OWN + TRAIN, env=environment, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("net?.safetensors"))) == 2
    assert ("training in one process, not 2: other processes do not see" in done.stderr) is not guarded
