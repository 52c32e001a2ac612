"""The seconds of something that is stopped, killed and gone on with."""

import json
from types import SimpleNamespace

import pytest

from medad.training import stopwatch
from medad.training.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    both = {"monotonic": lambda: now.seconds, "time": lambda: 1e9 + now.seconds}
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(**both))
    return now


def test_sittings_are_summed_and_pauses_are_not(tmp_path, clock):
    file = tmp_path / "seconds.json"
    for number in range(3):
        with Stopwatch(file) as watch:
            assert watch.resumed == (number > 0)
            clock.seconds += 10
        clock.seconds += 100
    assert watch.before == 20
    assert json.loads(file.read_text()) == {"seconds": 30, "began": 1e9}
    with Stopwatch(file) as watch:
        assert (watch.seconds, watch.wall_seconds) == (30, 330)


def test_a_killed_sitting_counts_until_its_last_note(tmp_path, clock):
    file = tmp_path / "seconds.json"
    killed = Stopwatch(file)
    killed._note()
    clock.seconds += 7
    killed._note()
    clock.seconds += 2
    assert Stopwatch(file).seconds == 7


def test_notes_are_made_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(stopwatch, "PERIOD", 0.001)
    with Stopwatch(tmp_path / "seconds.json") as watch:
        first = json.loads(watch.file.read_text())["seconds"]
        while json.loads(watch.file.read_text())["seconds"] == first:
            pass


def test_a_clock_that_is_set_back_makes_no_time_negative(tmp_path, clock, monkeypatch):
    with Stopwatch(tmp_path / "seconds.json") as watch:
        clock.seconds += 5
        monkeypatch.setattr(stopwatch.time, "time", lambda: 0.0)
        assert watch.wall_seconds == 5


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"seconds": "many"}'])
def test_a_damaged_note_counts_as_none(text, tmp_path):
    (tmp_path / "seconds.json").write_text(text)
    assert not Stopwatch(tmp_path / "seconds.json").resumed


def test_what_cannot_be_noted_stops_nothing(tmp_path):
    with Stopwatch(tmp_path / "nowhere" / "seconds.json") as watch:
        pass
    assert watch.seconds >= 0
