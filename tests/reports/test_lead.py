"""The first sentences of a report: plain, and no more sure than the figures."""

import pytest

from medad.reports.lead import lead
from medad.reports.outcome import Outcome


def outcome(auroc=0.864, ends=(0.82, 0.9), control=(0.73, (0.68, 0.78)), normal=200, abnormal=200):
    metrics = {"n": {"normal": normal, "abnormal": abnormal}, "image": {}, "controls": {}}
    if auroc is not None:
        metrics["image"]["pred_score"] = {"auroc": auroc, "auroc_ci": ends}
    if control:
        metrics["controls"] = {"thumbnail": {"auroc": control[0], "auroc_ci": control[1]}}
    return Outcome(metrics, "a_rec", {})


def test_what_was_looked_at_how_well_and_beside_what():
    assert lead(outcome()) == (
        "400 images were scored, 200 normal and 200 abnormal. Given a normal and an abnormal one of them, the detector "
        "scores the abnormal one higher in 86 of 100 cases (95 % interval 82 to 90; 50 by guessing). The best control "
        "that knows nothing of disease (8 x 8 thumbnail) reaches 73. So it does better than guessing and than that "
        "control; the report shows what it misses and where it gives false alarm. Nothing is promised about false "
        "alarms: no normal images were held out from training."
    )


@pytest.mark.parametrize(
    ("held_out", "specificity", "words"),
    [
        (100, (0.9, 0.85, 0.96), "The threshold promises to call at most 5 of 100 normal images abnormal, of those"),
        (9, (0.9, 0.85, 0.96), "at most 10 of 100 normal images"),
        (100, (0.6, 0.5, 0.7), "promised to call at most 5 of 100 normal images abnormal, and calls more: the promise"),
    ],
)
def test_a_promise_is_told_and_whether_it_holds(held_out, specificity, words):
    value, *ends = specificity
    metrics = outcome().metrics | {"decision": {"specificity": value, "specificity_ci": ends}}
    counts = {"normal": {"images": 1000, "trained": 1000 - held_out, "held_out": held_out}}
    assert words in lead(Outcome(metrics, "a_rec", counts, threshold=1.0))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"auroc": 0.52, "ends": (0.47, 0.57)}, "not shown to do better than guessing: do not rely on it"),
        ({"auroc": 0.3, "ends": (0.2, 0.4)}, "the wrong way round"),
        ({"control": (0.8, (0.75, 0.85))}, "this test does not show that it sees disease"),
        ({"normal": 8, "abnormal": 8, "control": None}, "with so few images the figure may still be far off"),
        ({"control": None}, "So it does better than guessing; the report shows what it misses"),
        ({"auroc": 0.9991, "ends": (0.998, 1.0)}, "more than 99 of 100 cases (95 % interval more than 99 to 100;"),
        ({"ends": None}, "86 of 100 cases (50 by guessing)"),
        ({"auroc": None, "abnormal": 0}, "200 images were scored, all normal. It takes normal and abnormal images"),
    ],
)
def test_the_conclusion_follows_the_figures(facts, words):
    assert words in lead(outcome(**facts))


def test_without_labels_nothing_is_said_about_how_well():
    assert lead(Outcome({"n": {"unlabelled": 1}, "image": {}}, "a", {})).startswith(
        "1 image was scored. Without labels"
    )
