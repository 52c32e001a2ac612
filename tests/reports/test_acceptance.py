"""What an acceptance page opens with: broken, more than promised, or nothing against it."""

import numpy as np
import pytest

from medad.evaluation.promises.false_alarms import FalseAlarms
from medad.evaluation.scores import ScoreTable
from medad.reports.acceptance import Acceptance, lead


def acceptance(alarms, normal=124, high=0.08):
    labels = np.repeat([0, 1], [normal, 20])
    called = np.concatenate([np.arange(normal) < alarms, np.ones(20, bool)]).astype(np.int8)
    names = tuple(map(str, range(normal + 20)))
    scores = ScoreTable(names, labels, {"pred_score": called.astype(float)}, pred_label=called)
    return Acceptance("Acceptance", FalseAlarms(1.0, 0.0455, 0.02, high, 109), scores, {}, None)


@pytest.mark.parametrize(
    ("alarms", "high", "words"),
    [
        (30, 0.08, "The promise is broken here: 30 of 124 normal images"),
        (13, 0.08, "More false alarms than promised: 13 of 124 normal images"),
        (13, 0.05, "The promise is broken here: 13 of 124"),
        (7, 0.08, "Nothing speaks against the promise: 7 of 124"),
        (0, 0.08, "Nothing speaks against the promise: 0 of 124"),
    ],
)
def test_what_is_said_of_the_promise(alarms, high, words):
    told = lead(acceptance(alarms, high=high))
    assert told.startswith(words) and "at most 4.55 % were promised" in told
    assert told.endswith("20 of 20 abnormal images are found.")
    assert ("109 normal images" in told) == told.startswith("More")
