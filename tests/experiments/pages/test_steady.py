"""The page of what makes DDAD steadier: means and deviations over seeds and data sets, computed by hand."""

import csv
from itertools import product

import numpy as np

from medad.experiments.pages.steady import page
from medad.experiments.studies.steady.maps import COLUMNS, MEAN, ONE
from medad.experiments.studies.steady.refiners import COLUMNS as REFINERS

SCORES = ("a_rec", "a_intra", "a_inter", "r_nu_4")


def store(folder, table, columns, rows):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{table}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def line(text, *start):
    (found,) = (row for row in text.splitlines() if row.startswith("| " + " | ".join(start) + " |"))
    return [cell.strip() for cell in found.strip("|").split("|")][len(start) :]


def maps(value):
    """Return rows of both lengths and kinds of weights; the last weights are 10 points worse, shorter ones 5."""
    forms = [(MEAN, ""), *((ONE, fold) for fold in range(3)), ("all networks, mean", "")]
    for epochs, (form, fold), weights, score in product(("half", "whole"), forms, ("last", "average"), SCORES):
        auroc = value - 0.1 * (weights == "last") - 0.05 * (epochs == "half") - 0.01 * (fold or 0)
        auc_u = "nan" if form.startswith("all") else 0.6
        yield [epochs, weights, form, fold, 0.0, score, auc_u, auroc, auroc - 0.2]


def test_means_and_deviations_over_seeds_and_sets(tmp_path):
    by_set = {"one": (0.9, 0.8), "two": (0.7, 0.72)}
    for name, values in by_set.items():
        folder = tmp_path / name / "steady"
        for seed, value in enumerate(values):
            store(folder, f"maps-k2-epochs250-seed{seed}", COLUMNS, maps(value))
            refined = [["log", MEAN, "", "r_dual", 0.65, value, 0.5]]
            store(folder, f"refiners-k2-epochs250-seed{seed}", REFINERS, refined)
    (tmp_path / "two" / "deduplicated.txt").write_text("a.png\n")
    text = page(tmp_path)
    assert "(2 networks in each ensemble of each DDAD, 250 epochs on up to 200 normal images" in text
    assert "on more as many steps; seeds 0, 1)" in text
    assert line(text, "r_nu_4", MEAN)[:2] == ["60.0", "78.0"]
    assert line(text, "r_dual, log", MEAN)[:2] == ["65.0", "78.0"]
    whole, one, two = text.split("\n## ")[1:]
    deviation = np.mean([np.std(100 * np.array(values), ddof=1) for values in by_set.values()])
    usual = ("whole", "average", MEAN, "0.0")
    assert line(whole, *usual) == 3 * ["60.0", "78.0", f"{deviation:.1f}"]
    assert line(whole, "whole", "last", MEAN, "0.0") == 3 * ["60.0", "68.0", f"{deviation:.1f}"]
    assert line(whole, "half", "average", MEAN, "0.0")[1] == "73.0"
    assert line(whole, "whole", "average", "all networks, mean", "0.0")[:2] == ["", "78.0"]
    assert "| half | last |" not in whole  # two changes at once
    assert line(one, *usual, "r_nu_4") == ["60.0 ± 0.0", "85.0 ± 7.1"]
    assert f"| last | {MEAN} | 0.0 | r_nu_4 |" not in one
    folds = 100 * np.array([0.9, 0.89, 0.88, 0.8, 0.79, 0.78])
    assert line(one, "whole", "average", ONE, "0.0", "a_rec")[1] == f"84.0 ± {folds.std(ddof=1):.1f}"
    assert line(two, "log", MEAN, "r_dual") == ["65.0 ± 0.0", "71.0 ± 1.4", "50.0 ± 0.0"]


def test_one_training_has_no_deviation(tmp_path):
    store(tmp_path / "one" / "steady", "maps-k2-epochs250-seed0", COLUMNS, maps(0.7))
    text = page(tmp_path)
    assert line(text, "whole", "average", MEAN, "0.0", "a_rec") == ["60.0", "70.0"]
    assert line(text.split("\n## one")[0], "whole", "average", MEAN, "0.0") == 3 * ["60.0", "70.0", ""]
