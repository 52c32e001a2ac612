"""Figures of groups are those of their images alone."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from medad.evaluation.scores import ScoreTable, read_scores, write_scores
from medad.evaluation.subgroups import subgroups


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    labels, sex = rng.integers(0, 2, 300), rng.choice(["F", "M", ""], 300)
    scores = rng.normal(size=300) + labels * (1 + 2 * (sex == "F"))
    groups = {"sex": tuple(sex), "site": ("east",) * 300}
    called = (scores > 1).astype(int)
    return ScoreTable(tuple(map(str, range(300))), labels, {"pred_score": scores}, pred_label=called, groups=groups)


def test_figures_are_those_of_the_group(scored):
    found = {(one.group, one.value): one for one in subgroups(scored)}
    assert list(found) == [("sex", "F"), ("sex", "M"), ("sex", "")]  # all are of one site
    for (_, value), one in found.items():
        rows = np.array(scored.groups["sex"]) == value
        labels, values = scored.gt_label[rows], scored.columns["pred_score"][rows]
        assert one.auroc[0] == pytest.approx(roc_auc_score(labels, values))
        assert one.auroc[1] < one.auroc[0] < one.auroc[2]
        alarms = values[labels == 0] > 1
        test = stats.binomtest(int(alarms.sum()), len(alarms)).proportion_ci(method="exact")
        assert one.alarms == pytest.approx((alarms.mean(), test.low, test.high))
        assert (one.normal, one.abnormal) == ((labels == 0).sum(), (labels == 1).sum())
        assert one.found[0] == pytest.approx((values[labels == 1] > 1).mean())
    assert found["sex", "F"].auroc[1] > found["sex", "M"].auroc[2]


def test_groups_without_a_class_or_a_threshold_have_no_such_figures(scored):
    few = scored.subset(np.flatnonzero((np.array(scored.groups["sex"]) == "F") | (scored.gt_label == 0)))
    found = {one.value: one for one in subgroups(few)}
    assert found["M"].auroc is None and found["M"].found is None and found["M"].alarms is not None
    plain = ScoreTable(few.image_path, few.gt_label, few.columns, groups=few.groups)
    assert next(subgroups(plain)).alarms is None
    assert not [*subgroups(ScoreTable(few.image_path, None, few.columns, groups=few.groups))]


def test_groups_stand_in_the_file(scored, tmp_path):
    write_scores(tmp_path / "scores.csv", scored)
    assert read_scores(tmp_path / "scores.csv").groups == scored.groups
    with pytest.raises(ValueError, match="differ in length"):
        ScoreTable(("a",), None, {"pred_score": np.zeros(1)}, groups={"sex": ("F", "M")})
