"""What is promised within classes holds within each of them, where one threshold for all does not."""

import numpy as np

from medad.evaluation.promises.classes import Classes
from medad.evaluation.promises.false_alarms import false_alarms


def sample(rng, count):
    views = rng.choice(["pa", "ap"], count, p=[0.8, 0.2])
    return rng.normal(size=count) + 2 * (views == "ap"), views


def test_the_rate_holds_in_each_class():
    rates = {"pa": [], "ap": [], "pooled": []}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        scores, views = sample(rng, 200)
        classes = Classes.of(scores, views.tolist(), [""] * 200, 0.1)
        new, of = sample(rng, 500)
        p, called = classes.judge(new, of.tolist())
        for view in ("pa", "ap"):
            rates[view].append(called[of == view].mean())
        rates["pooled"].append((new[of == "ap"] >= false_alarms(scores, 0.1).threshold).mean())
        np.testing.assert_array_equal(p <= 0.1 * (1 + 1e-9), called)
    for view in ("pa", "ap"):
        error = np.std(rates[view]) / np.sqrt(300)
        assert 0.06 < np.mean(rates[view]) < 0.1 + 3 * error
    assert np.mean(rates["pooled"]) > 0.2


def test_patients_count_once_and_rare_classes_promise_nothing():
    scores = np.concatenate([np.arange(38.0), [1.0, 2.0]])
    names, patients = ["pa"] * 38 + ["ap", ""], [f"{i // 2}" for i in range(38)] + ["", ""]
    classes = Classes.of(scores, names, patients, 0.05)
    assert list(classes.scores) == ["pa"] and classes.alarms["pa"].images == 19
    p, called = classes.judge(np.array([50.0, 50.0, 0.0]), ["pa", "ap", "pa"])
    np.testing.assert_array_equal(p, [1 / 20, np.nan, 1])
    assert called.tolist() == [True, False, False]
