"""The processes under Ctrl-C, a dead worker, a dead parent and a lost terminal."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from medad.errors import MedadError
from medad.training import workers
from medad.training.checkpoint import load_tensors
from medad.training.workers import Tally, _interrupt_flag, _interrupts_held, train_phases
from tests.training.test_loop import RECIPE, Slow, make_spec

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from medad.training.workers import train_phases
from tests.training.test_loop import make_spec
if __name__ == "__main__":
    train_phases([make_spec(f"net{i}", delay=0.3) for i in range(4)], Path(sys.argv[1]), jobs=2)
"""


@dataclass(frozen=True)
class Deadly(Slow):
    """Build a phase in a process that then dies."""

    def __call__(self, recipe):
        os._exit(1)


@pytest.fixture
def training(tmp_path):
    """Train four phases in two processes, in a session of their own."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "out").mkdir()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "out")],
        env=environment,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, tmp_path / "out"
    finally:
        if group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def group(leader: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def children(process):
    """Return the workers: children that have taken the training up."""
    return [pid for pid in group(process.pid) if pid != process.pid]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes through /proc")
class TestSignals:
    def test_ctrl_c_saves_the_state_and_ends(self, training):
        process, out = training
        wait_until(lambda: len(children(process)) >= 2)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        assert process.wait(timeout=60) != 0
        assert "KeyboardInterrupt" in process.stderr.read()
        wait_until(lambda: not group(process.pid), seconds=20)  # the resource tracker outlives it by a moment
        for file in out.glob("*.partial.safetensors"):
            assert int(load_tensors(file)[1]["step"]) < RECIPE.total_steps

    def test_ctrl_c_while_the_processes_start(self, training):
        process, _ = training
        wait_until(lambda: len(children(process)) >= 2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) != 0
        assert "KeyboardInterrupt" in process.stderr.read()

    def test_workers_end_with_their_parent(self, training):
        process, _ = training
        wait_until(lambda: len(children(process)) >= 2)
        time.sleep(3)
        process.kill()
        process.wait()
        wait_until(lambda: not group(process.pid), seconds=20)


def test_a_script_from_standard_input_trains_in_processes(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    script = SCRIPT.replace('if __name__ == "__main__":', "if True:").replace("0.3", "0")
    done = subprocess.run(
        [sys.executable, "-", tmp_path], input=script, env=environment, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("net?.safetensors"))) == 4


def test_processes_that_cannot_start_say_what_to_do(tmp_path, monkeypatch):
    class Broken(workers.ProcessPoolExecutor):
        def submit(self, *args, **kwargs):
            raise BrokenProcessPool

    monkeypatch.setattr(workers, "ProcessPoolExecutor", Broken)
    with pytest.raises(MedadError, match="no training process could start: .* or use jobs=1"):
        train_phases([make_spec(f"net{i}") for i in range(2)], tmp_path, jobs=2)


def test_what_was_done_before_does_not_count_for_the_speed():
    told = []
    tally = Tally(lambda n, done_before=False: told.append((n, done_before)))
    for name, done in (("a", 0), ("a", 2), ("b", 5), ("b", 5), ("b", 6), ("a", 2)):
        tally(name, done)
    assert told == [(2, False), (5, True), (1, False)]


def test_a_dead_worker_is_told(tmp_path):
    deadly = [replace(make_spec(f"net{i}"), build=Deadly()) for i in range(2)]
    with pytest.raises(MedadError, match="a training process died"):
        train_phases(deadly, tmp_path, jobs=2)


def test_ctrl_c_while_a_process_is_started_is_heard_afterwards():
    with _interrupt_flag() as stopped:
        with _interrupts_held():
            signal.raise_signal(signal.SIGINT)
            assert not stopped.is_set()
        assert stopped.is_set()


def test_ctrl_c_in_the_last_chunk_is_not_forgotten(tmp_path):
    @dataclass(frozen=True)
    class Interrupting(Slow):
        def __call__(self, recipe):
            phase = super().__call__(recipe)

            def interrupt(number):
                if number == RECIPE.total_steps - 1:
                    os.kill(os.getpid(), signal.SIGINT)

            phase.schedule = interrupt
            return phase

    with pytest.raises(KeyboardInterrupt):
        train_phases([replace(make_spec(), build=Interrupting())], tmp_path, jobs=1)
    assert (tmp_path / "net.safetensors").exists()
