"""Do intervals and tests keep their word? A glance in every run of the tests, the simulation in the slow ones."""

import subprocess
import sys

import numpy as np
import pytest

from medad.evaluation.intervals import mean_auroc
from medad.evaluation.metrics import average_precision
from medad.experiments.studies.coverage import comparisons, intervals, operating_points, pixels
from medad.experiments.studies.coverage.populations import SHAPES, draw, draw_methods, draw_patients, labels_of, true_ap

SE = np.sqrt(0.05 * 0.95)


@pytest.mark.parametrize("shape", SHAPES)
def test_populations_have_the_truth_they_name(shape):
    labels, scores = labels_of(20_000, 30_000), draw(np.random.default_rng(1), shape, 0.8, 20_000, 30_000)
    assert mean_auroc(labels, scores) == pytest.approx(0.8, abs=0.01)
    assert average_precision(labels, scores) == pytest.approx(true_ap(shape, 0.8, 0.4), abs=0.015)


def test_patients_and_methods_have_it_too():
    scores, names = draw_patients(np.random.default_rng(0), 0.85, 3000)
    assert mean_auroc(labels_of(12_000, 12_000), scores) == pytest.approx(0.85, abs=0.01)
    assert len(set(names[:12_000])) == 3000
    labels, (first, second) = draw_methods(np.random.default_rng(0), 2, 3, 0.0, 20_000)
    assert mean_auroc(labels, first) == pytest.approx(mean_auroc(labels, second), abs=0.01)
    assert first.shape == (3, 40_000)


def test_the_page_is_printed(monkeypatch):
    from medad.experiments.studies.coverage import __main__ as command

    for module in (intervals, operating_points, command):
        monkeypatch.setattr(module, "SIZES", ((5, 5),))
    monkeypatch.setattr(operating_points, "TRUTHS", (0.8,))
    monkeypatch.setattr(comparisons, "METHODS", (2,))
    page = "\n".join(command.page(2, 0))
    assert "| 5 + 5 |" in page
    assert [line for line in page.splitlines() if line.startswith("## ")][-1] == "## Equal methods"
    assert page.count("\n| ") > 20


def test_the_command_says_what_it_is():
    command = [sys.executable, "-m", "medad.experiments.studies.coverage", "--help"]
    assert "coverage.md" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    none = subprocess.run([*command[:-1], "--repeats", "0"], capture_output=True, text=True)
    assert (none.returncode, none.stderr) == (2, "medad: error: --repeats 0: must be at least 2\n")


@pytest.mark.slow
def test_intervals_are_near_their_word_from_five_a_class_on():
    for (abnormal, normal), found in intervals.by_size(150):
        few = min(abnormal, normal) < 5
        for name in ("AUROC", "AP"):
            assert np.mean(found[name]) > (0.85 if few else 0.93), (abnormal, normal, name)
        if not few:
            assert min(found["AUROC"]) > 0.90 - 3 * SE / np.sqrt(150), (abnormal, normal)


@pytest.mark.slow
def test_patients_pixels_and_trainings_keep_it_too():
    assert all(known > 0.95 - 3 * SE / np.sqrt(300) for _, known, _ in intervals.by_patients(300))
    assert all(held > 0.93 - 3 * SE / np.sqrt(300) for *_, held in intervals.by_trainings(300))
    assert all(min(held.values()) > 0.91 - 3 * SE / np.sqrt(300) for _, held in pixels.of_pixels(300))


@pytest.mark.slow
def test_equal_methods_differ_in_5_percent_at_most():
    for trainings, methods, sd, ours, _ in comparisons.family_errors(300):
        assert ours <= 0.05 + 3 * SE / np.sqrt(300), (trainings, methods, sd)


@pytest.mark.slow
def test_intervals_of_operating_points_keep_their_word():
    for size, found in operating_points.by_operating_point(100):
        for metric in operating_points.METRICS:
            assert np.mean(found[metric.name]) > 0.95, (size, metric.name)
            assert min(found[metric.name]) > 0.95 - 4 * SE / np.sqrt(100), (size, metric.name)
