"""Small stored results for tests of pages and studies: runs of DDAD whose figures a test computes by itself."""

import json
from dataclasses import replace

import numpy as np
import yaml

from medad.evaluation.scores import ScoreTable, write_scores
from medad.experiments.store import store

RUN = {
    "method": "ddad",
    "options": {"backbone": "aeu", "ensemble_size": 2},
    "seed": 0,
    "precision": "fp32",
    "data": {"name": "brain_tumor", "normal": {"images": 9}, "unlabeled": {"images": 5, "abnormal": 3}},
    "versions": {"cpu": "a processor", "torch": "2"},
    "timings": {"fit_seconds": 60},
    "config": {"preset": "paper", "options": {}},
}


def make_table():
    """Return scores of 30 normal and 30 abnormal images of two kinds."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    columns = {name: labels + rng.normal(size=60) for name in ("a_rec_1", "a_rec_2", "a_inter", "r_dual")}
    kinds = tuple(np.where(labels == 0, "normal", np.where(np.arange(60) % 2, "glioma", "meningioma")))
    paths = tuple(f"images/{i}.png" for i in range(60))
    return ScoreTable(paths, labels, columns | {"pred_score": columns["r_dual"]}, kinds)


def store_run(table, folder, results, shift=0.0, **changes):
    folder.mkdir()
    columns = {name: column + shift * table.gt_label for name, column in table.columns.items()}
    write_scores(folder / "scores.csv", replace(table, columns=columns))
    (folder / "metrics.json").write_text(json.dumps({"pixel": {}}))
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN | changes))
    store(folder, results)


def keep(results, dataset, kept):
    (results / dataset / "deduplicated.txt").write_text("".join(f"images/{i}.png\n" for i in kept))


def line(text, *cells):
    """Return the cells of the only line of a table that begins with `cells`."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines()]
    (found,) = [line for line in lines if line[: len(cells)] == list(cells)]
    return found
