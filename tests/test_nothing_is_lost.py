"""No command deletes or overwrites what it did not write: every one against folders of others.

What is slow, training and scoring, is replaced by writing files of the names that it writes; folders are claimed
before it begins.
"""

import json
import shutil
import sqlite3
from collections import Counter

import pytest
from conftest import TINY
from helpers import contents, put
from PIL import Image

from medad.cli.commands import main
from medad.data import publications
from medad.data.phantom.benchmark import phantom_benchmark
from medad.errors import UserError
from medad.evaluation.scores import read_scores
from medad.experiments.grid import engine as grid
from medad.experiments.grid.results import Record, Results
from medad.experiments.reproduce import reproduce
from medad.experiments.store import store
from medad.experiments.studies import latent_size
from medad.experiments.studies.latent_size import LatentSize
from medad.ownership import MARKER, claimed, read_marker
from medad.workflows import demo, evaluate, prepare, run, train

RUN = ("run.yaml", "weights.safetensors", "losses.csv", "held_out.csv", "controls.safetensors", "checkpoint/")
RESULTS = ("scores.csv", "metrics.json", "report.html")
CELLS = ("results.sqlite", "cells/", "store/")
NAMES = {
    "run": (*RUN, *RESULTS),
    "train": RUN,
    "evaluate": RESULTS,
    "predict": (
        *("scores.csv", "failed.csv", "contact_sheet.png", "worklist.html"),
        *("heatmaps/", "heatmaps/x.png.png", "worklist/", "worklist/x.png.jpg"),
    ),
    "demo": (*RUN, *RESULTS, "phantoms/"),
    "prepare": ("images/", "data.json", "manifest.csv"),
    "benchmark": (*CELLS, "results.csv", "cells.html", "report/"),
    "reproduce": (*CELLS, "splits/", "fig8.md", "fig8.csv", "fig8.yaml"),
}
each_name = pytest.mark.parametrize(("command", "name"), [(c, n) for c, names in NAMES.items() for n in names])
each_command = pytest.mark.parametrize("command", NAMES)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def call(phantoms, finished, out, tmp_path, monkeypatch, capsys):
    """Call a command that writes into `out`; return its status and the errors that it tells."""

    def fill(folder, names):
        for name in names:
            if not name.endswith("/"):
                (folder / name).write_text("ours")

    def found(source):
        yield from (publications.Found(file, str(file.stem)) for file in source.iterdir())

    def cells(grid_, out, **_):
        results = Results(out / "results.sqlite")
        table, metrics = read_scores(finished / "scores.csv"), json.loads((finished / "metrics.json").read_text())
        for name in ("cells", "store"):
            (results.file.parent / name).mkdir(exist_ok=True)
        return [Record("phantoms", c.label, c.options.seed, metrics, table, finished) for c in grid_.cells]

    monkeypatch.setattr(train, "fit", lambda d, s, n, o, out, *_: fill(out, RUN))
    monkeypatch.setattr(run, "run_in", lambda out, *_: fill(out, NAMES["run"]))
    monkeypatch.setattr(demo, "run_in", lambda out, *_: fill(out, NAMES["run"]))
    monkeypatch.setattr(demo, "phantom_benchmark", lambda **_: phantom_benchmark(normal=1, unlabeled=0, test=(1, 1)))
    monkeypatch.setattr(evaluate, "write_results", lambda d, i, n, r, out: fill(out, RESULTS))
    known = publications.Publication(found, {"normal": {"a": 1}, "unlabeled": {"b": 1}, "test": {"c": 1}}, "here")
    monkeypatch.setattr(prepare, "publication", lambda *_: known)
    monkeypatch.setattr(grid, "run_grid", cells)
    monkeypatch.setattr(reproduce, "run_grid", cells)
    source, grid_file = tmp_path / "source", tmp_path / "grid.yaml"
    source.mkdir()
    for name in "abc":
        (source / f"{name}.png").write_bytes(b"image")
    Image.new("L", (32, 32)).save(tmp_path / "x.png")
    grid_file.write_text("data: [phantoms]\nruns: [{method: ae, preset: tiny}]\n")
    argv = {
        "run": [phantoms, *TINY],
        "train": [phantoms, *TINY],
        "evaluate": [finished, phantoms],
        "predict": [finished, tmp_path / "x.png"],
        "demo": [],
        "prepare": ["known", "--source", source],
        "benchmark": [grid_file, "--data", phantoms.parent, "--report"],
        "reproduce": ["fig8", "--data", phantoms],
    }

    def run_command(command, *more, into=out):
        status = main([command, *map(str, argv[command]), "--out", str(into), *more])
        return status, [line for line in capsys.readouterr().err.splitlines() if line.startswith("medad: error")]

    return run_command


def refused(answer, *words):
    status, (line,) = answer
    assert status == 2 and "--out" in line
    assert all(str(word) in line for word in words)


@each_name
def test_a_file_of_the_user_of_our_name(command, name, call, out):
    put(out / name)
    before = contents(out)
    answer = call(command)
    assert contents(out) == before
    within = name.startswith(("heatmaps/x", "worklist/x"))  # the folder that it lies in is named
    refused(answer, out if command == "prepare" or within else out / name)


@each_name
def test_a_folder_of_the_user_of_our_name(command, name, call, out):
    put(out / name / "mine.txt")
    before = contents(out)
    refused(call(command), out)
    assert contents(out) == before


@each_name
def test_a_link_of_the_user_of_our_name(command, name, call, out, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    put(elsewhere / "mine.txt")
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(elsewhere if name.endswith("/") else elsewhere / "mine.txt")
    before = contents(tmp_path)
    refused(call(command), out)
    after = contents(tmp_path)
    assert {key: after[key] for key in before} == before


@pytest.mark.parametrize("kind", ["other", "link"])
@pytest.mark.parametrize("command", sorted(NAMES.keys() - {"prepare"}))  # which is never called twice
def test_what_takes_the_place_of_ours_later_is_not_ours(kind, command, call, out, tmp_path):
    """After a first call a file of ours becomes a folder or a link, a folder of ours a file or a link."""
    assert call(command)[0] == 0
    whole, mine = out.rename(tmp_path / "whole"), tmp_path / "elsewhere" / "mine"
    put(mine)
    for name in (name for name in NAMES[command] if (whole / name).exists()):
        shutil.copytree(whole, out)
        place, is_folder = out / name, name.endswith("/")
        shutil.rmtree(place) if is_folder else place.unlink()
        if kind == "link":
            place.symlink_to(mine.parent if is_folder else mine)
        else:
            put(place if is_folder else place / "mine")
        before = contents(place) if place.is_dir() else place.read_bytes()
        refused(call(command), out)
        assert place.is_symlink() == (kind == "link")
        assert (contents(place) if place.is_dir() else place.read_bytes()) == before
        assert contents(mine.parent) == {"mine": b"mine"}
        shutil.rmtree(out)


@each_command
def test_files_of_other_names_stay_through_several_calls(command, call, out):
    names = ["thesis.tex", "pictures/a.png", ".hidden", "heatmap/own.png", "report.htm"]
    for name in names if command != "prepare" else ():
        put(out / name)
    before = contents(out)
    assert call(command)[0] == 0
    for name in ("mine.csv", "notes/mine.txt", "heatmaps/mine.png", "phantoms/images/mine.png", "cells/mine"):
        if (out / name).parent.exists():
            put(out / name)
            before[name] = b"mine"
    status, lines = call(command)
    assert (status, len(lines)) in ((0, 0), (2, 1))
    after = contents(out)
    assert {key: after[key] for key in before} == before


@each_command
def test_a_run_is_no_target(command, call, out, finished):
    shutil.copytree(finished, out, ignore=shutil.ignore_patterns("evaluate-*"))
    for marked in (True, False):
        before = contents(out)
        refused(call(command), out)
        assert contents(out) == before
        (out / MARKER).unlink(missing_ok=not marked)


@each_command
def test_a_folder_of_another_command_is_no_target(command, call, out):
    other = "evaluate" if command != "evaluate" else "predict"
    assert call(other)[0] == 0
    before = contents(out)
    refused(call(command), out)
    assert contents(out) == before


@each_command
def test_a_file_in_place_of_the_folder(command, call, out):
    for into in (out, out / "deeper"):
        put(out)
        refused(call(command, into=into))
        assert out.read_bytes() == b"mine"


@each_command
def test_a_link_in_place_of_the_folder(command, call, out, tmp_path):
    put(tmp_path / "elsewhere" / "scores.csv")
    for target in ("elsewhere", "nowhere"):
        out.symlink_to(tmp_path / target)
        refused(call(command), out)
        out.unlink()
    assert contents(tmp_path / "elsewhere") == {"scores.csv": b"mine"} and not (tmp_path / "nowhere").exists()


@each_command
def test_the_marker_lists_what_was_written(command, call, out):
    assert call(command)[0] == 0
    marker = read_marker(out)
    assert marker.command == {"train": "run"}.get(command, command)
    there = {p.relative_to(out).as_posix() + "/" * p.is_dir() for p in out.iterdir() if p.name != MARKER}
    tops = {name.split("/")[0] + "/" * ("/" in name) for name in marker.names}
    assert tops == there
    assert json.loads((out / MARKER).read_text())["medad"]


@each_command
def test_a_marker_that_is_none_is_left_alone(command, call, out):
    put(out / MARKER)
    refused(call(command), out)
    assert contents(out) == {MARKER: b"mine"}


@pytest.mark.parametrize("name", ["../mine.txt", "/mine.txt", "heatmaps/../../mine.txt", "", "."])
def test_a_marker_from_elsewhere_reaches_nothing_outside(name, call, out, tmp_path):
    put(tmp_path / "mine.txt")
    out.mkdir()
    name = str(tmp_path / "mine.txt") if name.startswith("/") else name
    (out / MARKER).write_text(json.dumps({"command": "predict", "medad": "0", "names": [name]}))
    refused(call("predict"), out / MARKER)
    assert (tmp_path / "mine.txt").read_bytes() == b"mine"


def test_files_of_ours_are_not_removed_through_a_link(call, out, tmp_path):
    assert call("predict")[0] == 0
    (out / "heatmaps").rename(tmp_path / "moved")
    (out / "heatmaps").symlink_to(tmp_path / "moved")
    refused(call("predict"), out / "heatmaps")
    assert (tmp_path / "moved" / "x.png.png").exists()


def test_a_finished_run_is_refused_or_left_as_it_is(call, out):
    assert call("run")[0] == 0
    before = contents(out)
    for command in ("run", "train"):
        refused(call(command), "already holds a run", "--resume")
    assert contents(out) == before


def test_names_are_freed_when_a_command_fails(out):
    with pytest.raises(RuntimeError), claimed(out, "evaluate", RESULTS):
        (out / "scores.csv").touch()
        raise RuntimeError
    assert read_marker(out).names == {"scores.csv"}


def test_two_processes_of_a_command_keep_each_others_names(out):
    with claimed(out, "reproduce", ["a.md"]):
        with claimed(out, "reproduce", ["b.md"]):
            (out / "b.md").touch()
        (out / "a.md").touch()
    assert read_marker(out).names == {"a.md", "b.md"}


def test_pictures_of_the_folder_itself_are_scored_and_stay(finished, phantoms, tmp_path, monkeypatch):
    images = tmp_path / "images"
    (images / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.png"):
        shutil.copy(phantoms / "images" / "test_1_0000.png", images / name)
    before = contents(images)
    monkeypatch.chdir(images)
    for into in (".", str(images), "."):
        assert main(["predict", str(finished), str(images), "--out", into, "--device", "cpu"]) == 0
        assert Counter(read_scores(images / "scores.csv").image_path) == Counter(["a.png", "deep/b.png"])
    after = contents(images)
    assert {name: after[name] for name in before} == before
    (tmp_path / "same").symlink_to(images)  # heat maps are known by another way to them, too
    assert main(["predict", str(finished), str(tmp_path / "same"), "--out", str(images), "--device", "cpu"]) == 0
    assert sorted(read_scores(images / "scores.csv").image_path) == ["a.png", "deep/b.png"]


def test_runs_of_earlier_versions_work(finished, phantoms, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(finished, old, ignore=shutil.ignore_patterns("evaluate-*", MARKER))
    argv = ["train", str(phantoms), "--out", str(old), *TINY, "--options.holdout", "0.2"]
    assert main(argv) == 2
    assert main([*argv, "--resume"]) == 0
    assert read_marker(old).command == "run"


def test_evaluations_lie_beside_each_other_in_the_run(call, finished, phantoms, tmp_path):
    copy = shutil.copytree(finished, tmp_path / "copy", ignore=shutil.ignore_patterns("evaluate-*"))
    before = contents(copy)
    for _ in range(2):
        assert main(["evaluate", str(copy), str(phantoms)]) == 0
    assert read_marker(copy / "evaluate-phantoms").command == "evaluate"
    after = contents(copy)
    assert {name: after[name] for name in before} == before


def test_results_of_an_earlier_grid_are_known_by_their_table(call, out):
    assert call("benchmark")[0] == 0
    (out / MARKER).unlink()
    assert call("benchmark")[0] == 0
    (out / MARKER).unlink()
    (out / "results.sqlite").unlink()
    with sqlite3.connect(out / "results.sqlite") as db:
        db.execute("CREATE TABLE cells (patient TEXT)")
    before = contents(out)
    refused(call("benchmark"), out)
    assert contents(out) == before


def test_an_earlier_demo_is_known_by_its_phantoms(call, out):
    assert call("demo")[0] == 0
    for foreign in ("", "thesis.tex", "phantoms/images/scan.png"):
        for marker in list(out.rglob(MARKER)):
            marker.unlink()
        if foreign:
            put(out / foreign)
            before = contents(out)
            refused(call("demo"), out)
            assert contents(out) == before
            (out / foreign).unlink()
        else:
            assert call("demo")[0] == 0


@pytest.fixture
def suggest(phantoms, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(latent_size, "SIZES", (1, 2))
    rows = [LatentSize(1, 2.0, 0.5), LatentSize(2, 1.0, 0.5)]
    monkeypatch.setattr(latent_size, "sweep", lambda *_: rows)

    def run_command(file):
        status = main(["suggest-latent-size", str(phantoms), *TINY, "--out", str(file)])
        return status, [line for line in capsys.readouterr().err.splitlines() if line.startswith("medad: error")]

    return run_command


def test_a_table_of_the_user_stays(suggest, tmp_path):
    file = tmp_path / "deep" / "table.csv"
    for foreign in (b"name,age\n", b"", b"latent,error\n1,2\n", b"\xff\x00"):
        put(file, foreign)
        refused(suggest(file), file)
        assert file.read_bytes() == foreign
    file.unlink()
    for _ in range(2):
        assert suggest(file)[0] == 0
    ours = file.read_bytes()
    (tmp_path / "link.csv").symlink_to(file)
    refused(suggest(tmp_path / "link.csv"), "link.csv")
    assert file.read_bytes() == ours and (tmp_path / "link.csv").is_symlink()
    refused(suggest(file / "deep" / "table.csv"), f"{file}: not a folder")


def test_stored_results_are_not_replaced_by_those_of_others(finished, tmp_path):
    results = tmp_path / "results"
    target = store(finished, results)
    assert store(finished, results) == target
    whole = contents(target)
    described = (target / "run.yaml").read_text()
    (target / "run.yaml").write_text(described.replace("fingerprint: ", "fingerprint: other"))
    with pytest.raises(UserError, match="other training images"):
        store(finished, results)
    (target / "run.yaml").unlink()
    with pytest.raises(UserError, match="not known to be of a stored run"):
        store(finished, results)
    (target / "run.yaml").symlink_to(finished / "run.yaml")
    with pytest.raises(UserError, match="is a link"):
        store(finished, results)
    assert {name: data for name, data in contents(target).items() if name != "run.yaml"} == {
        name: data for name, data in whole.items() if name != "run.yaml"
    }


def test_what_was_written_is_removed_whatever_its_name(out):
    with claimed(out, "predict", ["heatmaps/\udcff.png", "heatmaps/a/b.png"], clear=True):
        for name in read_marker(out).names:
            put(out / name)
    with claimed(out, "predict", [], clear=True):
        assert set(contents(out)) == {MARKER}
