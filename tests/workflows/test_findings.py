"""Results are written as work goes on, but seldom enough that a long list costs no more per image than a short one."""

import numpy as np

from medad.evaluation.scores import ScoreTable, read_scores
from medad.workflows.findings import Findings


def table(*names):
    return ScoreTable(names, None, {"pred_score": np.arange(len(names), dtype=float)})


def test_the_first_chunk_is_written_at_once_and_others_a_minute_later(clock, tmp_path):
    found = Findings(tmp_path)
    for wait, names, written in ((0, "a", 1), (59, "b", 1), (2, "c", 3), (1, "d", 3)):
        clock.seconds += wait
        found.tables.append(table(names))
        found.write_if_due()
        assert len(read_scores(tmp_path / "scores.csv")) == written
    found.write()
    assert sorted(read_scores(tmp_path / "scores.csv").image_path) == ["a", "b", "c", "d"]


def test_writing_takes_a_small_share_of_the_time_however_long_the_list_is(clock, tmp_path, monkeypatch):
    found, spent = Findings(tmp_path), 0.0

    def write():
        nonlocal spent
        seconds = len(found.tables) / 100
        spent += seconds
        clock.seconds += seconds

    monkeypatch.setattr(found, "write", write)
    begin = clock.seconds
    for _ in range(10_000):
        clock.seconds += 10
        found.tables.append(table("a"))
        found.write_if_due()
    assert 0 < spent < 0.06 * (clock.seconds - begin)


def test_nothing_found_is_nothing_written(tmp_path):
    Findings(tmp_path).write()
    assert not list(tmp_path.iterdir())
