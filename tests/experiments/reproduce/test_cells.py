"""What the paper's experiments train, and on which unlabeled images."""

import csv
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from PIL import Image

from medad.cli.commands import main
from medad.data.entries import Entry
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.repartition import Repartition
from medad.errors import UserError
from medad.evaluation.scores import read_scores
from medad.experiments.reproduce.cells import MAKE, RATES
from medad.experiments.reproduce.splits import draw_stratified
from medad.experiments.store import store
from medad.workflows.options import TrainOptions
from medad.workflows.splits import read_splits

BASE = TrainOptions(preset="tiny", seed=3, jobs=1)


def make_pool(**counts):
    return [
        Entry(f"{kind}{i}", None, int(kind != "normal"), "" if kind == "normal" else kind)
        for kind, count in counts.items()
        for i in range(count)
    ]


def test_kinds_are_drawn_in_proportion():
    pool = make_pool(normal=50, a=60, b=30, c=10)
    drawn = draw_stratified(pool, 60, 0.5, seed=0)
    assert Counter(entry.kind for entry in drawn) == {"": 30, "a": 18, "b": 9, "c": 3}
    assert drawn == draw_stratified(pool, 60, 0.5, seed=0)
    assert drawn != draw_stratified(pool, 60, 0.5, seed=1)
    assert Counter(entry.kind for entry in draw_stratified(pool, 7, 1.0, seed=0)) == {"a": 4, "b": 2, "c": 1}
    assert all(entry.label == 0 for entry in draw_stratified(pool, 50, 0.0, seed=0))
    with pytest.raises(UserError, match="51 normal and 0 abnormal"):
        draw_stratified(pool, 51, 0.0, seed=0)


def read(cell):
    return read_splits(cell.data.path, cell.data.split, cell.options)


def test_rates_of_figure_6_have_as_many_images_each(phantoms, tmp_path):
    cells = MAKE["fig6"](phantoms, tmp_path, BASE)
    assert [cell.options.anomaly_rate for cell in cells] == list(RATES)
    for cell in cells:
        unlabeled = read(cell).unlabeled
        assert len(unlabeled) == 4  # the pool has 4 normal and 6 abnormal images
        assert unlabeled.labels.sum() == round(4 * cell.options.anomaly_rate)
        assert Repartition.read(phantoms, cell.data.split).test == Repartition.read(phantoms).test


def test_table_4_shows_one_kind_at_a_time(tmp_path):
    phantoms = tmp_path / "phantoms"
    write_phantoms(phantoms, phantom_benchmark(normal=2, unlabeled=40, test=(1, 1)))
    cells = {cell.label: cell for cell in MAKE["table4"](phantoms, tmp_path, BASE)}
    pool = Repartition.read(phantoms).unlabeled
    kinds = {entry.kind for entry in pool if entry.label}
    assert set(cells) == {"none", "normal"} | kinds
    assert read(cells["none"]).unlabeled is None
    assert read(cells["normal"]).unlabeled.labels.sum() == 0
    for kind in kinds:
        entries = Repartition.read(phantoms, cells[kind].data.split).unlabeled
        assert {entry.kind for entry in entries if entry.label} <= {kind}
        unlabeled = read(cells[kind]).unlabeled
        assert unlabeled.labels.sum() == round(0.397 * len(unlabeled)) >= 1
        assert cells[kind].options.options == {"refine": False}


def test_table_6_drops_values_in_its_second_networks_only(phantoms, tmp_path):
    base = replace(BASE, options={"dropout": 0.4, "epochs": 3})
    cells = {cell.label: cell.options.options for cell in MAKE["table6"](phantoms, tmp_path, base)}
    assert cells["ae, ensemble"] == {"epochs": 3, "refine": False}
    assert cells["aeu, MC dropout"] == {"epochs": 3, "refine": False, "dropout": 0.4, "mc_passes": 256}


def test_table_2_leaves_out_options_that_a_method_does_not_have(phantoms, tmp_path):
    base = replace(BASE, options={"epochs": 3, "refine_epochs": 1})
    cells = {cell.label: cell.options.options for cell in MAKE["table2"](phantoms, tmp_path, base)}
    assert cells["fanogan alone"] == {}
    assert cells["aeu alone"] == {"epochs": 3}
    assert cells["aeu"] == {"epochs": 3, "refine_epochs": 1}
    with pytest.raises(UserError, match="`options.epoch`: no method of this table"):
        MAKE["table2"](phantoms, tmp_path, replace(BASE, options={"epoch": 3}))


def test_what_cannot_be_reproduced_is_said_before_anything_is_trained(phantoms, tmp_path, capsys):
    unlabelled = shutil.copytree(phantoms, tmp_path / "unlabelled")
    who = Repartition.read(unlabelled)
    (unlabelled / "data.json").unlink()
    normal = tuple(entry for entry in who.test if entry.label == 0)
    Repartition(who.normal, who.unlabeled, normal).write(unlabelled / "manifest.csv")
    assert main(["reproduce", "table3", "--data", str(unlabelled), "--out", str(tmp_path / "out")]) == 2
    assert "its test images need labels, of normal and of abnormal ones" in capsys.readouterr().err
    nowhere = str(tmp_path / "nowhere")
    assert main(["reproduce", "table3", "--data", str(phantoms), "--out", nowhere, "--stored", nowhere]) == 2
    told = f"--stored {nowhere}: give the folder that holds {phantoms.name}/METHOD/seedN, or that {phantoms.name}"
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_unlabeled_images_need_normal_ones_for_table_4(tmp_path):
    phantoms = tmp_path / "phantoms"
    write_phantoms(phantoms, phantom_benchmark(normal=2, unlabeled=10, test=(1, 1)))
    who = Repartition.read(phantoms)
    (phantoms / "data.json").unlink()
    Repartition(who.normal, tuple(e for e in who.unlabeled if e.label), who.test).write(phantoms / "manifest.csv")
    with pytest.raises(UserError, match="normal images are needed"):
        MAKE["table4"](phantoms, tmp_path, BASE)


def test_the_largest_ensemble_comes_first(phantoms, tmp_path):
    sizes = [cell.options.ensemble_size for cell in MAKE["table5"](phantoms, tmp_path, BASE)]
    assert sizes == [15, 11, 7, 5, 3, 2]


@pytest.mark.integration
def test_an_experiment_from_the_command_line(phantoms, tmp_path, capsys):
    argv = ["reproduce", "fig8", "--data", str(phantoms), "--out", str(tmp_path), "--device", "cpu"]
    argv += ["--options.steps", "1", "--options.refine_steps", "1", "--options.hidden", "16", "--workers", "2"]
    assert main(argv) == 0
    text = (tmp_path / "fig8.md").read_text()
    assert capsys.readouterr().out == f"{text}\n"
    assert "preset quick **with other options than it: steps 1, refine_steps 1, hidden 16**" in text
    assert "| r_dual | " in text
    assert "seeds 0. Machine: " in text
    (run,) = (tmp_path / "cells").iterdir()
    given = read_scores(run / "scores.csv")
    with (tmp_path / "fig8.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["seed"], row["image_path"]) for row in rows] == [
        ("ae", "0", i) for i in given.image_path
    ]
    assert [float(row["r_dual"]) for row in rows] == pytest.approx(given.columns["r_dual"], rel=1e-5)
    assert [int(row["gt_label"]) for row in rows] == list(given.gt_label)
    assert main(["reproduce", "fig9", *argv[2:]]) == 0
    assert "![Images and their anomaly maps, seed 0](fig9-seed0.png)" in capsys.readouterr().out
    assert Image.open(tmp_path / "fig9-seed0.png").size[0] > 300
    stored = store(run, tmp_path / "stored")
    for root in (tmp_path / "stored", tmp_path / "stored" / "phantoms"):
        again = [*argv[:5], str(tmp_path / f"again-{root.name}"), *argv[6:]]
        assert main([*again, "--stored", str(root), "--print-only"]) == 0
        assert capsys.readouterr().out == f"{text}\n"
    changed = tmp_path / "changed" / "phantoms"  # the same names, another image
    shutil.copytree(phantoms, changed)
    shutil.copyfile(changed / "images" / "normal_0001.png", changed / "images" / "normal_0000.png")
    other = ["reproduce", "fig8", "--data", str(changed), "--out", str(tmp_path / "new"), *argv[6:]]
    assert main([*other, "--stored", str(tmp_path / "stored"), "--print-only"]) == 2
    assert "holds no run of fig8" in capsys.readouterr().err
    (stored / "run.yaml").write_text((stored / "run.yaml").read_text().replace("seed: 0", "seed: 1"))
    other = [*argv[:5], str(tmp_path / "other"), *argv[6:], "--stored", str(tmp_path / "stored"), "--print-only"]
    assert main(other) == 2
    assert "holds no run of fig8" in capsys.readouterr().err
    assert main([*argv, "--seeds", "[4]", "--print-only"]) == 2
    assert "holds no run of fig8 with these options; leave out --print-only" in capsys.readouterr().err
    assert (tmp_path / "fig8.md").read_text() == text
    assert main(["reproduce", "fig7", "--data", str(phantoms)]) == 2
    assert "fig7: no such experiment; there are table2" in capsys.readouterr().err
