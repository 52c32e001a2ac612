"""The table of scores on the terminal."""

import numpy as np

from medad.evaluation.scores import ScoreTable
from medad.evaluation.summary import summarise
from medad.reports.outcome import Outcome
from medad.workflows.table import print_table, print_words


def test_figures_stand_in_per_cent_with_their_interval(capsys):
    labels = np.arange(20) % 2
    scores = ScoreTable(tuple(map(str, range(20))), labels, {"pred_score": np.arange(20) + 5.0 * labels})
    metrics = summarise(scores)
    print_table(metrics, scores)
    out, (low, high) = capsys.readouterr().out, metrics["image"]["pred_score"]["auroc_ci"]
    assert f"{100 * metrics['image']['pred_score']['auroc']:.1f}" in out and "10 normal, 10 abnormal" in out
    assert f"{100 * low:.1f} to {100 * high:.1f}" in out


def test_without_labels_there_is_no_table(capsys):
    scores = ScoreTable(("a", "b"), None, {"pred_score": np.arange(2.0)})
    print_table(summarise(scores), scores)
    assert capsys.readouterr().out == ""


def test_words_follow_the_table(capsys):
    print_words(Outcome({"n": {"unlabelled": 3}, "image": {}}, "pred_score", {}))
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith("3 images were scored.") and "Next: Label about 50 images" in told
