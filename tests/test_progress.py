"""Progress: plain lines off a terminal, none for short work, a bar on a terminal and in a notebook."""

import builtins
import re
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from medad.progress import progress


def test_work_under_two_seconds_says_nothing(clock, capsys):
    with progress(10, "reading images") as advance:
        for _ in range(10):
            clock.seconds += 0.19
            advance(1)
    assert capsys.readouterr() == ("", "")


def test_work_of_other_threads_is_not_shown(clock, capsys):
    def work():
        with progress(100, "reading images") as advance:
            clock.seconds += 20
            advance(20)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert capsys.readouterr() == ("", "")


def test_lines_tell_how_far_it_is_and_once_that_is_measured_how_long_it_takes(clock, capsys):
    with progress(100, "reading images") as advance:
        clock.seconds += 30  # processes start: says nothing of how fast they will be
        advance(20)
        clock.seconds += 15
        advance(30)
    assert capsys.readouterr() == ("", "reading images: 20/100\nreading images: 50/100, 25 s left\n")


def test_a_moment_is_too_short_to_measure(clock, capsys):
    with progress(100, "training") as advance:
        clock.seconds += 14
        advance(1)
        clock.seconds += 14.9
        advance(1)
        clock.seconds += 0.2  # a burst, after the others have waited for a slow step
        advance(10)
    assert capsys.readouterr().err.splitlines() == ["training: 1/100", "training: 12/100, 121 s left"]
    with progress(100, "training") as advance:
        clock.seconds += 3
        advance(0)
        advance(1, done_before=True)
        clock.seconds += 15
        advance(1)
        clock.seconds += 1.9
        advance(50)
    assert "left" not in capsys.readouterr().err


def test_a_line_at_most_every_fifteen_seconds(clock, capsys):
    said = []
    with progress(100, "training") as advance:
        for second in range(1, 41):
            clock.seconds += 1
            advance(1)
            said += [second] if capsys.readouterr().err else []
    assert said == [2, 17, 32]


def test_time_left_forgets_what_an_earlier_run_has_done(clock, capsys):
    with progress(1000, "training") as advance:
        for second in range(100):
            clock.seconds += 1
            advance(1)
            if second in (0, 50):  # two networks, each with a checkpoint
                advance(250, done_before=True)
    first, *others = capsys.readouterr().err.splitlines()
    assert first == "training: 252/1000"
    for line in others:
        done, left = map(int, re.findall(r"(\d+)(?=/| s)", line))
        assert left == 1000 - done


def test_work_that_has_not_advanced_or_is_longer_than_told(clock, capsys):
    with progress(10, "scoring") as advance:
        clock.seconds += 3
        advance(0)
        assert capsys.readouterr().err == ""
        advance(20)
    assert capsys.readouterr().err == "scoring: 20/10\n"


def test_on_a_terminal_a_bar_is_drawn_with_the_time_left_once_that_is_measured(clock, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress(100, "training") as advance:
        advance(50, done_before=True)
        clock.seconds += 30
        advance(1)
    captured = capsys.readouterr()
    assert captured.out == "" and "training" in captured.err and "51/100" in captured.err
    assert "left" not in captured.err and ":" not in captured.err
    with progress(4000, "training") as advance:
        advance(1)
        clock.seconds += 10
        advance(10)
    assert "1:06:29 left" in capsys.readouterr().err


def test_a_lost_terminal_does_not_end_the_work(clock, monkeypatch):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

        flush = isatty = fileno = lambda self: False

    with progress(100, "training") as advance:
        monkeypatch.setattr("sys.stderr", Gone())
        clock.seconds += 5
        advance(20)
        monkeypatch.undo()


@pytest.fixture
def notebook(monkeypatch):
    """What rich finds in a notebook; the texts shown below the cell, where ipywidgets are there to show them."""
    shown = []

    class Output:
        clear_output = close = lambda self, wait=False: None

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    def install(name, **names):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, name, module)

    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    install("IPython")
    install("IPython.display", display=lambda thing: shown.append(getattr(thing, "text", "")))
    install("ipywidgets", Output=Output)
    return shown


def test_a_notebook_shows_a_bar(clock, notebook, capsys):
    with progress(100, "training") as advance:  # drawn at once, and then by a thread of rich's
        clock.seconds += 20
        advance(51)
    assert capsys.readouterr() == ("", "")
    assert re.search(r"training .* (0|51)/100", "".join(notebook))


def test_a_notebook_without_widgets_shows_lines(clock, notebook, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "ipywidgets")
    monkeypatch.setattr("medad.progress.find_spec", lambda name: None)
    with progress(100, "training") as advance:
        clock.seconds += 20
        advance(51)
    assert not notebook and capsys.readouterr().err == "training: 51/100\n"
