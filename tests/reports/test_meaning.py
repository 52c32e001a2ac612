"""The opening of the report: each sentence has its rule."""

import pytest

from medad.reports.advice import next_steps
from medad.reports.meaning import meaning, verdict
from medad.reports.outcome import Outcome

COUNTS = {
    "normal": {"images": 60, "trained": 54, "held_out": 6},
    "unlabeled": {"images": 100, "used": 0},
}


def outcome(auroc=0.8, ends=(0.7, 0.9), n=(100, 100), **more):
    """What a run with these figures came to; all other facts are favourable unless given."""
    classes = {"normal": n[0], "abnormal": n[1]}
    metrics = {"image": {"pred_score": {"auroc": auroc, "auroc_ci": ends}}, "n": classes}
    metrics |= {key: more.pop(key) for key in ("decision", "controls") if key in more}
    facts = {"score": "a_rec", "counts": {"normal": {"images": 400, "trained": 360, "held_out": 40}}, "threshold": 0.5}
    return Outcome(metrics, **(facts | more))


def unlabelled(**more):
    return Outcome({"image": {}, "n": {"unlabelled": 36}}, "pred_score", {}, **more)


def told(run):
    return " ".join(meaning(run))


def steps(run):
    return " ".join(next_steps(run))


@pytest.mark.parametrize(
    ("auroc", "ends", "words"),
    [
        (
            0.8,
            (0.7, 0.9),
            "Better than chance: by the score a_rec an abnormal image ranks above a normal one in 80.0 %",
        ),
        (0.6, (0.5, 0.7), "Not shown to be better than chance"),
        (0.45, (0.4, 0.5), "Not shown to be better than chance"),
        (0.45, (0.41, 0.49), "Worse than chance"),
        (0.9, None, "Not shown to be better than chance"),
    ],
)
def test_chance_is_judged_by_the_interval(auroc, ends, words):
    assert verdict(outcome(auroc, ends)).startswith(words)


def test_the_verdict_names_the_score_and_the_interval():
    assert "80.0 % (95 % interval 70.0–90.0) of pairs (AUROC; by chance 50 %)" in verdict(outcome())
    assert "by the detector's score" in verdict(outcome(score="pred_score"))


def test_without_both_classes_nothing_is_judged():
    assert verdict(unlabelled()) == "36 images scored. They have no labels, so nothing is said about accuracy."
    one = outcome(None, None, (20, 0))
    assert verdict(one) == "With one class only there is no accuracy to report."
    assert "chance" not in told(one)
    assert "Add abnormal test images" in steps(one)
    assert "Add normal test images" in steps(outcome(None, None, (0, 20)))
    assert "Label about 50 images" in steps(unlabelled())


@pytest.mark.parametrize(
    ("auroc", "ends", "wrong"), [(0.2, (0.05, 0.6), True), (0.48, (0.46, 0.49), True), (0.45, (0.3, 0.6), False)]
)
def test_auroc_far_below_chance_has_a_remark(auroc, ends, wrong):
    run = outcome(auroc, ends)
    assert ("the score ranks the wrong way round" in told(run)) == wrong
    assert ("Check the labels" in steps(run)) == wrong
    assert "wrong way round" not in told(outcome())


def test_a_score_that_is_not_better_than_chance_is_not_to_be_relied_on():
    assert "Do not rely on this score" in steps(outcome(0.55, (0.45, 0.65)))
    assert "Do not rely on this score" not in steps(outcome())
    assert "Do not rely on this score" not in steps(outcome(0.55, (0.2, 0.9), (10, 10)))  # nobody can tell yet


def test_promised_and_measured_specificity_stand_beside_each_other():
    decision = {"specificity": 0.92, "specificity_ci": (0.85, 0.96), "sensitivity": 0.4, "sensitivity_ci": (0.3, 0.5)}
    run = outcome(decision=decision, threshold=0.123456, flagged=48)
    words = told(run)
    assert "a score of 0.1235 or more is called abnormal, here 48 of 200 images" in words
    assert "Promised specificity: 95.0 %, by 40 held-out normal images." in words
    assert "Measured specificity: 92.0 % (95 % interval 85.0–96.0)." in words
    assert "Sensitivity: 40.0 % (95 % interval 30.0–50.0)." in words
    assert "Choose the threshold anew" not in steps(run)


def test_a_specificity_below_the_promise_is_said():
    run = outcome(decision={"specificity": 0.8, "specificity_ci": (0.7, 0.9), "sensitivity": None})
    assert "80.0 % (95 % interval 70.0–90.0), less than promised." in told(run)
    assert "Sensitivity" not in told(run)
    assert "Choose the threshold anew on normal images from where it is used" in steps(run)


def test_figures_without_intervals_are_not_judged():
    run = outcome(decision={"specificity": 0.8, "sensitivity": 0.5})
    assert "Measured specificity: 80.0 %. Sensitivity: 50.0 %." in told(run)
    assert "Choose the threshold anew" not in steps(run)


def test_few_held_out_images_promise_less():
    run = outcome(counts=COUNTS)
    assert "Promised specificity: 85.7 %, by 6 held-out normal images." in told(run)
    assert "Hold out at least 19 normal images" in steps(run)
    enough = {"normal": {"images": 190, "trained": 171, "held_out": 19}}
    assert "Promised specificity: 95.0 %, by 19" in told(outcome(counts=enough))
    assert "Hold out" not in steps(outcome(counts=enough))


def test_no_threshold_is_said():
    run = outcome(threshold=None)
    assert "No threshold" in told(run) and "specificity" not in told(run)
    assert "train with preset standard" in steps(run) and "about 190" in steps(run)
    assert "No threshold" in told(unlabelled())
    assert "here 12 of 36 images" in told(unlabelled(threshold=1.0, flagged=12))


def test_it_is_told_how_many_images_were_really_used():
    expected = "Images: 60 normal, of which 54 were learned from and 6 held out for the threshold; 100 unlabeled, "
    assert f"{expected}ignored by this method; tested on 100 normal and 100 abnormal." in told(outcome(counts=COUNTS))
    all_used = {"normal": {"images": 60, "trained": 60, "held_out": 0}, "unlabeled": {"images": 9, "used": 9}}
    assert "60 normal, all learned from; 9 unlabeled, learned from as well;" in told(outcome(counts=all_used))


def test_a_run_of_before_tells_what_it_knows():
    before = {"normal": {"images": 60}, "unlabeled": {"images": 100}}
    words = told(outcome(counts=before))
    assert "Images: 60 normal; 100 unlabeled; tested on" in words and "Promised specificity: 95.0 %." in words
    assert "Images" not in told(unlabelled())


@pytest.mark.parametrize(("n", "few"), [((29, 100), True), ((100, 10), True), ((30, 30), False), ((8, 0), True)])
def test_few_test_images_are_said(n, few):
    run = outcome(n=n) if all(n) else outcome(None, None, n)
    assert ("the intervals are wide" in told(run)) == few
    assert ("until there are 30 of each class" in steps(run)) == (few and all(n))
    assert "One image moves a share by 10 points" in told(outcome(n=(100, 10)))


@pytest.mark.parametrize(
    ("control", "ends", "words", "shown"),
    [
        (0.85, (0.8, 0.9), "Not above the best of what sees no pathology: mean gradient, AUROC 85.0 %", False),
        (0.80, (0.7, 0.9), "Not above", False),
        (0.65, (0.6, 0.72), "Not clearly above", False),
        (0.60, (0.55, 0.65), "Above", True),
    ],
)
def test_the_score_is_held_against_what_sees_no_pathology(control, ends, words, shown):
    rows = {"mean_gradient": {"auroc": control, "auroc_ci": ends}, "pixels_nu": {"auroc": 0.5, "auroc_ci": (0.4, 0.6)}}
    run = outcome(controls=rows)
    assert told(run).startswith(words)
    assert ("does not show that the score sees disease" in told(run)) != shown
    assert ("in what else normal and abnormal images differ" in steps(run)) != shown


def test_controls_may_be_missing_undefined_or_new():
    for controls in ({}, None, {"pixels": {"auroc": None}}):
        assert "pathology" not in told(outcome(controls=controls)) + steps(outcome(controls=controls))
    new = {"weather_nu": {"auroc": 0.9}}
    assert "weather, with unlabeled, AUROC 90.0 %." in told(outcome(controls=new))
    assert "pathology" not in told(outcome(None, None, (9, 0), controls={"pixels": {"auroc": 0.5}}))


def test_there_is_always_a_next_step():
    assert list(next_steps(outcome())) == [
        "Look at the images with the worst errors: is it disease that the score sees?"
    ]
