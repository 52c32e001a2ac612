"""What predict scores: a misspelt name is told, and what predictions wrote is no image."""

import json
from pathlib import Path

import pytest

from medad.errors import UserError
from medad.ownership import MARKER
from medad.workflows.inputs import find_inputs

RESULTS = ("scores.csv", "failed.csv", "contact_sheet.png", "heatmaps/a.png.png", "worklist.html", "worklist/a.jpg")


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def ids(*inputs):
    return [entry.id for entry in find_inputs(inputs)]


def mark(folder, command, *names):
    (folder / MARKER).write_text(json.dumps({"command": command, "medad": "1", "names": names}))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("imges", "images"),
        ("imges/", "images"),
        ("imges/a.png", "images/a.png"),
        ("imges/z.png", "images"),
        ("images/a.pgn", "images/a.png"),
        ("images/a.png/b", None),
        ("elsewhere/deep/x.png", None),
    ],
)
def test_a_path_that_is_not_there_is_named_with_a_close_one(given, meant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "images/a.png", "b.png")
    with pytest.raises(UserError) as error:
        ids(Path("b.png"), Path(given))
    line = str(error.value)
    assert line.startswith(f"{Path(given)}: no such file or folder")
    assert line.endswith(f"did you mean {Path(meant)}?") if meant else "did you mean" not in line


def test_what_is_there_but_cannot_be_read_is_told_later(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "nowhere")
    long = "x" * 300 + ".png"  # cannot even be looked at, like a file in a folder without permission
    assert ids(tmp_path / "a.png", tmp_path / long) == ["a.png", long]


def test_results_of_predictions_are_passed_over_and_said(tmp_path, capsys):
    touch(tmp_path, "a.png", *(f"{old}/{name}" for old in ("old", "deep/old", "out") for name in RESULTS))
    assert ids(tmp_path) == ["a.png"]
    assert f"{3 * len(RESULTS)} files of predictions are passed over" in capsys.readouterr().err


def test_results_of_one_name_in_two_inputs_do_not_collide(tmp_path):
    touch(tmp_path, *(f"{site}/old/{name}" for site in ("one", "two") for name in RESULTS), "one/a.png", "two/b.png")
    assert ids(tmp_path / "one", tmp_path / "two") == ["a.png", "b.png"]


def test_images_of_the_user_are_no_results(tmp_path, capsys):
    """Their own beside those of a prediction, and in folders that are only named like them."""
    touch(tmp_path, "old/mine.png", *(f"old/{name}" for name in RESULTS), "heatmaps/b.png", "my/worklist/c.png")
    touch(tmp_path, "my/scores.csv.png")
    assert ids(tmp_path) == ["heatmaps/b.png", "my/scores.csv.png", "my/worklist/c.png", "old/mine.png"]


def test_nothing_but_results(tmp_path, capsys):
    touch(tmp_path, *(f"old/{name}" for name in RESULTS))
    with pytest.raises(UserError, match="no files found"):
        ids(tmp_path / "old" / "heatmaps")
    assert "passed over" in capsys.readouterr().err


def test_the_marker_says_what_a_prediction_wrote(tmp_path):
    touch(tmp_path, *RESULTS, "mine.png", "heatmaps/mine.png", "worklist/mine.png")
    mark(tmp_path, "predict", *RESULTS)
    assert ids(tmp_path) == ["heatmaps/mine.png", "mine.png", "worklist/mine.png"]
    mark(tmp_path, "evaluate", "scores.csv")
    assert len(ids(tmp_path)) == 3 + len(RESULTS)
    (tmp_path / MARKER).write_text("no marker")  # then names and what lies beside them decide
    assert ids(tmp_path) == ["mine.png"]


def test_text_is_set_aside_and_said(tmp_path, capsys):
    touch(tmp_path, "a.png")
    (tmp_path / "notes").write_text("a note\n")
    assert ids(tmp_path) == ["a.png"]
    assert (
        f"1 files without images (text, reports, indexes) are set aside, such as {tmp_path / 'notes'}"
        in capsys.readouterr().err
    )
