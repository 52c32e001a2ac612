"""Progress off a terminal: plain lines, and none for short work."""

import threading

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


def test_lines_tell_how_far_it_is_and_how_long_it_takes(clock, capsys):
    with progress(100, "reading images") as advance:
        clock.seconds += 2
        advance(20)
    assert capsys.readouterr() == ("", "reading images: 20/100, 8 s left\n")


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
        advance(500)  # of a checkpoint
        for _ in range(100):
            clock.seconds += 1
            advance(1)
    assert capsys.readouterr().err.splitlines()[-1] == "training: 592/1000, 408 s left"


def test_work_that_has_not_advanced_or_is_longer_than_told(clock, capsys):
    with progress(10, "scoring") as advance:
        clock.seconds += 3
        advance(0)
        assert capsys.readouterr().err == ""
        advance(20)
    assert capsys.readouterr().err == "scoring: 20/10, 0 s left\n"


def test_on_a_terminal_a_bar_is_drawn(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress(3, "reading images") as advance:
        advance(3)
    captured = capsys.readouterr()
    assert captured.out == "" and "reading images" in captured.err and "3/3" in captured.err


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
