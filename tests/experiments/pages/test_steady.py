"""The page of what makes DDAD steadier: means and deviations over seeds and data sets, computed by hand."""

import csv
from itertools import product

import numpy as np

from medad.experiments.pages.steady import page
from medad.experiments.studies.steady.maps import COLUMNS
from medad.experiments.studies.steady.refiners import COLUMNS as REFINERS

SCORES = ("a_rec", "a_intra", "a_inter", "r_nu_4")


def store(folder, table, columns, rows):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{table}.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def line(text, *start):
    (found,) = (row for row in text.splitlines() if row.startswith("| " + " | ".join(start) + " |"))
    return [cell.strip() for cell in found.strip("|").split("|")][len(start) :]


def maps(value, members):
    """Return rows of both lengths and kinds of weights; the last weights are 10 points worse, shorter ones 5."""
    for epochs, (size, ensemble), weights, score in product((25, 50), members, ("last", "average"), SCORES):
        auroc = value - 0.1 * (weights == "last") - 0.05 * (epochs == 25) + 0.02 * ensemble
        yield [epochs, size, ensemble, weights, "mean", 0.0, score, 0.6, auroc, auroc - 0.2]


def test_means_and_deviations_over_seeds_and_sets(tmp_path):
    by_set = {"one": (0.9, 0.8), "two": (0.7, 0.72)}
    for name, values in by_set.items():
        folder = tmp_path / name / "steady"
        for seed, value in enumerate(values):
            store(folder, f"maps-k6-epochs50-seed{seed}", COLUMNS, maps(value, [(6, 0), (3, 1), (3, 2)]))
            store(folder, f"refiners-k6-epochs50-seed{seed}", REFINERS, [["log", "r_dual", 0.65, value, 0.5]])
    text = page(tmp_path)
    assert "6 networks in each ensemble, 50 epochs; seeds 0, 1" in text
    whole, one, two = text.split("\n## ")[1:]
    deviation = np.mean([np.std(100 * np.array(values), ddof=1) for values in by_set.values()])
    usual = ("50", "6", "average", "mean", "0.0")
    assert line(whole, *usual) == 3 * ["60.0", "78.0", f"{deviation:.1f}"]
    assert line(whole, "50", "6", "last", "mean", "0.0") == 3 * ["60.0", "68.0", f"{deviation:.1f}"]
    assert line(whole, "25", "6", "average", "mean", "0.0")[1] == "73.0"
    assert line(whole, "50", "3", "average", "mean", "0.0")[1] == "81.0"
    assert "| 25 | 3 |" not in whole and "| 25 | 6 | last |" not in whole  # two changes at once
    assert line(one, *usual, "r_nu_4") == ["60.0 ± 0.0", "85.0 ± 7.1", "65.0 ± 7.1"]
    assert "| last | mean | 0.0 | r_nu_4 |" not in one
    halves = 100 * np.array([0.92, 0.94, 0.82, 0.84])
    assert line(one, "50", "3", "average", "mean", "0.0", "a_rec")[1] == f"88.0 ± {halves.std(ddof=1):.1f}"
    assert line(two, "log", "r_dual") == ["65.0 ± 0.0", "71.0 ± 1.4", "50.0 ± 0.0"]


def test_one_training_has_no_deviation(tmp_path):
    store(tmp_path / "one" / "steady", "maps-k2-epochs50-seed0", COLUMNS, maps(0.7, [(2, 0)]))
    text = page(tmp_path)
    assert line(text, "50", "2", "average", "mean", "0.0", "a_rec") == ["60.0", "70.0", "50.0"]
    assert line(text.split("\n## one")[0], "50", "2", "average", "mean", "0.0") == 3 * ["60.0", "70.0", ""]
