"""A small table of scores and its sheet."""

import numpy as np
import pytest

from medad.evaluation.scores import ScoreTable
from medad.reports.sheet import Sheet, captions, choose_groups


@pytest.fixture
def table():
    """20 normal and 16 abnormal images of two kinds, with members and a repeated pred_score."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [20, 16])
    columns = {name: rng.normal(labels) for name in ("a_rec_1", "a_rec_2", "a_intra", "r_dual")}
    kinds = tuple([""] * 20 + ["dark"] * 8 + ["bright"] * 8)
    names = tuple(f"test/patient-{i}.png" for i in range(36))
    return ScoreTable(names, labels, columns | {"pred_score": columns["r_dual"].copy()}, kinds)


@pytest.fixture
def sheet(table):
    """12 columns of 16 x 16 images, two maps and masks."""
    rng = np.random.default_rng(1)
    groups = choose_groups(table, 12)
    index = np.concatenate(list(groups.values()))
    masks = np.zeros((12, 16, 16), bool)
    masks[:6, 4:8, 4:8] = True  # those of abnormal images
    maps = {name: rng.random((12, 16, 16)) for name in ("a_intra", "r_dual")}
    headings = [heading for heading, group in groups.items() for _ in group]
    return Sheet(rng.random((12, 16, 16)), maps, captions(table, index), headings, masks)
