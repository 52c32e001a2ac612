"""Parts of a table of scores keep its rows together."""

import numpy as np

from medad.evaluation.scores import ScoreTable
from medad.experiments.subsets import of_kind, restrict


def test_restrict_keeps_rows_together():
    table = ScoreTable(("a", "b", "c"), np.array([0, 1, 1]), {"pred_score": np.array([1.0, 2.0, 3.0])})
    part = restrict(table, ["c", "a"])
    assert part.image_path == ("a", "c")
    assert part.gt_label.tolist() == [0, 1]
    assert part.columns["pred_score"].tolist() == [1, 3]


def test_a_kind_is_tested_against_all_normal_images():
    kinds = ("normal", "glioma", "other", "normal")
    table = ScoreTable(tuple("abcd"), np.array([0, 1, 1, 0]), {"pred_score": np.arange(4.0)}, kinds)
    assert of_kind(table, "glioma").image_path == ("a", "b", "d")
