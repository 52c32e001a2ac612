"""``medad predict``: the ranked list, flat memory, and where files go."""

import csv
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from medad.cli.commands import main
from medad.evaluation.promises.discoveries import q_values
from medad.evaluation.scores import read_scores
from medad.ownership import MARKER
from medad.workflows import predict as module
from medad.workflows import scoring


def predict(run, out, *inputs, options=()):
    return main(["predict", str(run), *(str(i) for i in inputs), "--out", str(out), "--device", "cpu", *options])


@pytest.fixture(scope="module")
def predicted(finished, phantoms, tmp_path_factory):
    out = tmp_path_factory.mktemp("predicted")
    assert predict(finished, out, phantoms / "images") == 0
    return out


def test_the_most_abnormal_comes_first(predicted, phantoms):
    table = read_scores(predicted / "scores.csv")
    assert sorted(table.image_path) == sorted(file.name for file in (phantoms / "images").iterdir())
    assert (np.diff(table.columns["pred_score"]) <= 0).all()
    assert table.gt_label is None and set(table.pred_label) <= {0, 1}


def test_scores_are_those_of_the_evaluation(predicted, finished):
    ranked, evaluated = read_scores(predicted / "scores.csv"), read_scores(finished / "scores.csv")
    scores = dict(zip(ranked.image_path, ranked.columns["r_dual"], strict=True))
    for name, expected in zip(evaluated.image_path, evaluated.columns["r_dual"], strict=True):
        assert scores[name.removeprefix("images/")] == pytest.approx(expected, abs=1e-5)


def test_every_image_has_a_heat_map_of_its_size(predicted, phantoms):
    files = list((phantoms / "images").iterdir())
    for file in files:
        with Image.open(file) as image, Image.open(predicted / "heatmaps" / f"{file.name}.png") as drawn:
            assert drawn.size == image.size and drawn.mode == "RGB"
    assert len(list((predicted / "heatmaps").iterdir())) == len(files)
    assert (predicted / "contact_sheet.png").exists() and not (predicted / "failed.csv").exists()


def test_an_image_looks_the_same_in_other_company(predicted, finished, phantoms, tmp_path):
    file = phantoms / "images" / "test_1_0003.png"
    assert predict(finished, tmp_path, file) == 0
    alone, together = (np.asarray(Image.open(p / "heatmaps" / f"{file.name}.png"), int) for p in (tmp_path, predicted))
    assert np.abs(alone - together).max() <= 2


def test_chunks_do_not_matter(predicted, finished, phantoms, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "CHUNK", 7)
    assert predict(finished, tmp_path, phantoms / "images") == 0
    whole, parts = read_scores(predicted / "scores.csv"), read_scores(tmp_path / "scores.csv")
    rows = [dict(zip(t.image_path, t.columns["pred_score"], strict=True)) for t in (whole, parts)]
    assert rows[0] == pytest.approx(rows[1], abs=1e-5)
    assert len(list((tmp_path / "heatmaps").iterdir())) == len(whole)
    assert "images from 8 on, of" in capsys.readouterr().err


def test_scoring_in_bf16_is_near(predicted, finished, phantoms, tmp_path):
    assert predict(finished, tmp_path, phantoms / "images", options=["--precision", "bf16"]) == 0
    exact, near = read_scores(predicted / "scores.csv"), read_scores(tmp_path / "scores.csv")
    rows = [dict(zip(t.image_path, t.columns["a_rec_ensemble"], strict=True)) for t in (exact, near)]
    assert rows[0] == pytest.approx(rows[1], rel=0.05) and rows[0] != rows[1]


def test_results_inside_the_input_are_not_taken_for_images(finished, phantoms, tmp_path):
    for i in range(2):
        source = phantoms / "images" / f"test_0_000{i}.png"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    for _ in range(2):
        assert predict(finished, tmp_path / "out", tmp_path) == 0
        assert len(read_scores(tmp_path / "out" / "scores.csv")) == 2
    assert predict(finished, tmp_path / "out", tmp_path / "out" / "heatmaps") == 2
    assert predict(finished, tmp_path / "other", tmp_path) == 0
    assert len(read_scores(tmp_path / "other" / "scores.csv")) == 2


def test_nothing_else_is_left_in_the_folder(predicted):
    names = {MARKER, "scores.csv", "heatmaps", "contact_sheet.png", "worklist.html", "worklist"}
    assert {p.name for p in predicted.iterdir()} == names


def test_p_values_are_those_of_the_held_out_normals(predicted, finished):
    normal = np.loadtxt(finished / "held_out.csv", skiprows=1)
    table = read_scores(predicted / "scores.csv")
    reached = (normal >= table.columns["pred_score"][:, None]).sum(axis=1)
    np.testing.assert_array_equal(table.p_value, (1 + reached) / (len(normal) + 1))
    np.testing.assert_array_equal(table.q_value, q_values(table.p_value))
    page = (predicted / "worklist.html").read_text()
    assert "at most one in ten is normal" in page
    assert f"None has. To put a single image of {len(table)} on it takes {10 * len(table) - 1} such normal" in page


def test_the_worklist_shows_every_image(predicted, finished, phantoms):
    page = (predicted / "worklist.html").read_text()
    names = [file.name for file in (phantoms / "images").iterdir()]
    for name in names:
        assert f'<a href="heatmaps/{name}.png" target="_blank"><img src="worklist/{name}.jpg"' in page
        assert f">{phantoms / 'images' / name}</a>" in page and (predicted / "worklist" / f"{name}.jpg").is_file()
    assert page.count("percentile ") == page.count("· p ") == len(names)
    assert f"by the run {finished}" in page and "on 2 normal images held out" in page
    assert "at least 66.7 % normal" in page and "never below 1/3" in page and "could not be read" not in page


def test_a_run_that_kept_no_held_out_scores(finished, three, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "held_out.csv").unlink()
    assert predict(run, tmp_path / "out", three) == 0
    assert read_scores(tmp_path / "out" / "scores.csv").p_value is None
    page = (tmp_path / "out" / "worklist.html").read_text()
    assert "percentile" not in page and "at least 95 % normal" in page


def test_a_method_without_maps_or_threshold(phantoms, three, tmp_path):
    options = ["--method", "deep_svdd", "--preset", "tiny", "--jobs", "1", "--device", "cpu"]
    assert main(["train", str(phantoms), "--out", str(tmp_path / "run"), *options]) == 0
    assert predict(tmp_path / "run", tmp_path / "out", three) == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {MARKER, "scores.csv", "worklist.html", "worklist"}
    page = (tmp_path / "out" / "worklist.html").read_text()
    assert "no threshold" in page and "no maps" in page and (three / "0.png").as_uri() in page


def test_a_misspelt_path_stops_all_before_anything_is_scored(finished, three, tmp_path, capsys):
    assert predict(finished, tmp_path / "out", three / "0.png", tmp_path / "thre") == 2
    line = f"{tmp_path / 'thre'}: no such file or folder; did you mean {three}?"
    assert line in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_run_without_a_colour_scale_takes_it_from_the_images(finished, phantoms, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    described = yaml.safe_load((run / "run.yaml").read_text())
    del described["map_scale"]
    (run / "run.yaml").write_text(yaml.safe_dump(described))
    assert predict(run, tmp_path / "out", phantoms / "images") == 0
    assert (tmp_path / "out" / "contact_sheet.png").exists()


@pytest.fixture
def three(phantoms, tmp_path):
    """A folder of three images."""
    (tmp_path / "three").mkdir()
    for i in range(3):
        shutil.copy(phantoms / "images" / f"test_1_000{i}.png", tmp_path / "three" / f"{i}.png")
    return tmp_path / "three"


@pytest.mark.parametrize("left", [0, 2])
def test_files_that_vanish_meanwhile_are_listed(left, finished, three, tmp_path, monkeypatch, capsys):
    def vanish(*chunk):
        for number in range(left, 3):
            (three / f"{number}.png").unlink()
        return draw(*chunk)

    draw = module.draw_pictures
    monkeypatch.setattr(module, "draw_pictures", vanish)
    out = tmp_path / "out"
    assert predict(finished, out, three) == 1
    assert len(read_scores(out / "scores.csv")) == 3 and (out / "contact_sheet.png").exists() == bool(left)
    with (out / "failed.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [path for path, _ in rows] == [str(three / f"{number}.png") for number in range(left, 3)]
    assert all(why.startswith("scored, but gone when its heat map was drawn") for _, why in rows)
    assert "files cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_was_computed_outlives_a_stop(fault, finished, three, tmp_path, monkeypatch):
    (three / "0.png").write_bytes(b"")
    monkeypatch.setattr(module, "CHUNK", 1)
    draw, drawn = module.draw_pictures, []

    def stop_at_the_second(images, *rest):
        if drawn:
            raise fault
        drawn.append(images.ids)
        return draw(images, *rest)

    monkeypatch.setattr(module, "draw_pictures", stop_at_the_second)
    out = tmp_path / "out"
    assert predict(finished, out, three) in (1, 130)
    table = read_scores(out / "scores.csv")
    assert sorted(table.image_path) == ["1.png", "2.png"]
    assert (np.diff(table.columns["pred_score"]) <= 0).all()
    assert [file.name for file in (out / "heatmaps").iterdir()] == ["1.png.png"]
    assert str(three / "0.png") in (out / "failed.csv").read_text()
    page = (out / "worklist.html").read_text()
    assert page.count('<p><a href="file:') == 2 and page.count("not drawn") == 1
    assert 'src="worklist/1.png.jpg"' in page and 'href="failed.csv"' in page


def test_a_second_prediction_does_not_mix_with_the_first(finished, three, tmp_path):
    (three / "bad.png").write_bytes(b"")
    out = tmp_path / "out"
    assert predict(finished, out, three) == 1
    assert predict(finished, out, three / "2.png") == 0
    assert {p.relative_to(out).as_posix() for p in out.rglob("*")} == {
        MARKER,
        "scores.csv",
        "contact_sheet.png",
        "heatmaps",
        "heatmaps/2.png.png",
        "worklist.html",
        "worklist",
        "worklist/2.png.jpg",
    }
    assert predict(finished, out, three / "bad.png") == 1
    assert {p.name for p in out.iterdir()} == {MARKER, "failed.csv"}


def test_a_run_is_no_folder_for_predictions(finished, three, capsys):
    before = (finished / "scores.csv").read_bytes()
    assert predict(finished, finished, three) == 2
    assert f"{finished}: holds a run; choose another --out" in capsys.readouterr().err
    assert (finished / "scores.csv").read_bytes() == before and not (finished / "heatmaps").exists()


def test_scores_that_are_not_finite_are_no_results(finished, three, tmp_path, monkeypatch, capsys):
    score = scoring.score

    def broken(*args):
        table = score(*args)
        table.columns["r_dual"][1] = np.nan
        return table

    monkeypatch.setattr(scoring, "score", broken)
    assert predict(finished, tmp_path / "out", three) == 1
    assert "1.png: r_dual is not finite" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == [MARKER]


def test_new_images_are_not_put_into_the_cache(finished, three, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDAD_CACHE", str(tmp_path / "cache"))
    assert predict(finished, tmp_path / "out", three) == 0
    assert not (tmp_path / "cache").exists()


def test_the_longest_name_a_file_can_have(finished, three, tmp_path):
    name = "x" * 251 + ".png"
    (three / "0.png").rename(three / name)
    assert predict(finished, tmp_path / "out", three) == 0
    assert name in read_scores(tmp_path / "out" / "scores.csv").image_path
    assert len(list((tmp_path / "out" / "heatmaps").iterdir())) == 3
