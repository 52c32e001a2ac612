"""``medad run`` and ``medad evaluate``: scores, metrics and the report."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

from medad.cli.commands import main
from medad.data.repartition import Repartition
from medad.evaluation.scores import read_scores
from medad.workflows.evaluate import to_pictures


def evaluate(run, data, *more):
    return main(["evaluate", str(run), str(data), "--device", "cpu", *(str(m) for m in more)])


def test_scores_hold_every_test_image_and_every_score(finished, phantoms):
    table = read_scores(finished / "scores.csv")
    test = Repartition.read(phantoms).test
    assert table.image_path == tuple(entry.id for entry in test)
    np.testing.assert_array_equal(table.gt_label, [entry.label for entry in test])
    expected = {
        "pred_score",
        "a_rec_1",
        "a_rec_2",
        "a_rec_ensemble",
        "a_intra",
        "a_inter",
        "r_intra",
        "r_dual",
    }
    assert set(table.columns) == expected
    np.testing.assert_array_equal(table.columns["pred_score"], table.columns["r_dual"])
    assert table.kinds is not None and table.pred_label is not None


def test_metrics_are_those_of_the_stored_scores(finished):
    table = read_scores(finished / "scores.csv")
    metrics = json.loads((finished / "metrics.json").read_text())
    for name in ("r_dual", "a_inter"):
        row = metrics["image"][name]
        assert row["auroc"] == pytest.approx(roc_auc_score(table.gt_label, table.columns[name]))
        assert row["ap"] == pytest.approx(average_precision_score(table.gt_label, table.columns[name]))
        assert row["auroc_ci"][0] <= row["auroc"] <= row["auroc_ci"][1]
    single = [roc_auc_score(table.gt_label, table.columns[f"a_rec_{k}"]) for k in (1, 2)]
    assert metrics["image"]["a_rec"]["auroc"] == pytest.approx(np.mean(single))
    assert metrics["n"]["normal"] == metrics["n"]["abnormal"] == 8
    assert metrics["seed"] == 0
    # anomaly_map is r_dual by another name
    assert set(metrics["pixel"]) == {"a_rec", "a_intra", "a_inter", "r_intra", "r_dual"} and metrics["kinds"]


def test_patients_are_kept_together_and_stay_unknown(finished, phantoms, tmp_path):
    who = Repartition.read(phantoms)
    test = tuple(replace(entry, patient=f"J. Doe-{i // 4}") for i, entry in enumerate(who.test))
    Repartition(who.normal, who.unlabeled, test).write(tmp_path / "split.csv", phantoms)
    assert evaluate(finished, phantoms, "--split", tmp_path / "split.csv", "--out", tmp_path / "out") == 0
    table = read_scores(tmp_path / "out" / "scores.csv")
    assert table.patients == tuple(str(i // 4 + 1) for i in range(16))
    before, after = (json.loads((folder / "metrics.json").read_text()) for folder in (finished, tmp_path / "out"))
    assert before["image"]["a_inter"]["auroc"] == after["image"]["a_inter"]["auroc"]
    assert before["image"]["a_inter"]["auroc_ci"] != after["image"]["a_inter"]["auroc_ci"]
    assert not any("J. Doe-" in file.read_text() for file in (tmp_path / "out").iterdir())


def test_the_report_is_one_file_with_a_sheet(finished):
    text = (finished / "report.html").read_text()
    assert "ddad on phantoms" in text and "data:image/png;base64," in text
    assert "http://" not in text.replace("http://www.w3.org", "") and "Heat maps" in text
    assert "<b>12</b>\n<span>normal images</span>" in text and "maps at 64 x 64 pixels" in text


def test_the_report_tells_with_what_was_trained_not_what_wrote_it(finished, phantoms, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    described = yaml.safe_load((run / "run.yaml").read_text())
    described["versions"]["torch"] = "1.2.3-before"
    (run / "run.yaml").write_text(yaml.safe_dump(described))
    assert evaluate(run, phantoms, "--out", tmp_path / "out") == 0
    assert "1.2.3-before" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("undrawn")
def test_evaluating_again_gives_the_same_scores(finished, phantoms, capsys):
    assert evaluate(finished, phantoms) == 0
    again = finished / "evaluate-phantoms"
    assert (again / "scores.csv").read_bytes() == (finished / "scores.csv").read_bytes()
    assert (again / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()
    out = capsys.readouterr().out
    assert "r_dual" in out and str(again / "report.html") in out
    assert f"{100 * json.loads((again / 'metrics.json').read_text())['image']['r_dual']['auroc']:.1f}" in out


@pytest.mark.usefixtures("undrawn")
def test_another_split_has_a_folder_of_its_own(finished, phantoms, tmp_path):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    Repartition(who.normal, who.unlabeled, who.test[2:12]).write(data / "fewer.csv")
    assert evaluate(finished, data, "--split", "fewer.csv") == 0
    few, all_ = (read_scores(finished / name / "scores.csv") for name in ("evaluate-copy-fewer", "."))
    assert few.image_path == all_.image_path[2:12]
    np.testing.assert_allclose(few.columns["r_dual"], all_.columns["r_dual"][2:12], atol=1e-5)


@pytest.mark.usefixtures("undrawn")
def test_every_data_set_and_split_has_a_folder_of_its_own(finished, phantoms, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run", ignore=shutil.ignore_patterns("evaluate-*"))
    for name in ("K.v1", "K.v2"):
        data = shutil.copytree(phantoms, tmp_path / name)
        shutil.copy(data / "manifest.csv", data / "all.csv")
        for more in ([data], [data, "--split", "all.csv"], [data / "data.json"]):
            assert evaluate(run, *more) == 0
    ends = ("", "-all", "-data")
    expected = {f"evaluate-{name}{end}" for name in ("K.v1", "K.v2") for end in ends}
    assert {folder.name for folder in run.glob("evaluate-*")} == expected


@pytest.mark.usefixtures("undrawn")
def test_one_class_only_is_scored_with_a_warning(finished, phantoms, tmp_path, capsys):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    normal = tuple(entry for entry in who.test if entry.label == 0)
    Repartition(who.normal, (), normal).write(data / "normal.csv")
    assert evaluate(finished, data, "--split", "normal.csv", "--out", tmp_path / "out") == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["image"]["r_dual"]["auroc"] is None
    captured = capsys.readouterr()
    assert "medad: warning: only one class" in captured.err and "–" in captured.out


@pytest.mark.usefixtures("undrawn")
def test_data_without_masks_and_kinds(finished, phantoms, tmp_path):
    data = shutil.copytree(phantoms, tmp_path / "copy")
    who = Repartition.read(data)
    (data / "manifest.csv").unlink()
    who.write(data / "data.json")
    assert evaluate(finished, data, "--out", tmp_path / "out") == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["pixel"] == {} and metrics["kinds"] == {}
    assert "kind" not in (tmp_path / "out" / "scores.csv").read_text().splitlines()[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_shown_as_they_are_stored(channels):
    from helpers import make_images

    images = make_images(2, size=8, channels=channels, dtype=np.uint16)
    pictures = to_pictures(images)
    assert pictures.shape == ((2, 8, 8) if channels == 1 else (2, 8, 8, 3))
    expected = images.pixels[1, channels - 1, 3, 4] / 65535
    assert pictures[1, 3, 4].reshape(-1)[channels - 1] == pytest.approx(expected)
