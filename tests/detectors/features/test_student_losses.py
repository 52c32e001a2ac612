"""What teacher and students make small, against numbers worked out by hand and against numpy."""

import numpy as np
import pytest
import torch

from medad.detectors.features.student_losses import (
    compactness_loss,
    error_and_disagreement,
    knowledge_loss,
    metric_loss,
)
from medad.detectors.features.student_training import student_loss


def test_knowledge_is_the_squared_distance_of_a_row():
    decoded, target = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert knowledge_loss(decoded, target).item() == (5 + 25) / 2


@pytest.mark.parametrize(
    ("anchor", "alike", "other", "expected"),
    [
        ([0.0, 0.0], [1.0, 0.0], [3.0, 0.0], 0.0),  # 1 + 1 - min(9, 4)
        ([0.0, 0.0], [1.0, 0.0], [2.0, 0.0], 1.0),  # 1 + 1 - min(4, 1)
        ([0.0, 0.0], [0.0, 2.0], [1.0, 0.0], 4.0),  # 1 + 4 - min(1, 5)
    ],
)
def test_metric_counts_the_nearer_of_both(anchor, alike, other, expected):
    assert metric_loss(*(torch.tensor([row]) for row in (anchor, alike, other))).item() == expected


def test_metric_is_the_mean_over_triplets():
    a, p, n = torch.randn(3, 7, 5).unbind()
    single = [metric_loss(a[i : i + 1], p[i : i + 1], n[i : i + 1]) for i in range(7)]
    torch.testing.assert_close(metric_loss(a, p, n), torch.stack(single).mean())


def test_compactness_is_the_mean_squared_correlation_of_components():
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 6))) @ torch.randn(6, 6).double()
    correlation = np.corrcoef(rows.numpy(), rowvar=False)
    expected = np.square(correlation[~np.eye(6, dtype=bool)]).mean()
    assert compactness_loss(rows).item() == pytest.approx(expected, rel=1e-5)


def test_compactness_of_equal_and_of_unrelated_components():
    x = torch.tensor([1.0, -1.0, 1.0, -1.0])
    assert compactness_loss(torch.stack([x, -2 * x], 1)).item() == pytest.approx(1)
    assert compactness_loss(torch.stack([x, torch.tensor([1.0, 1.0, -1.0, -1.0])], 1)).item() == pytest.approx(0)
    assert compactness_loss(torch.ones(4, 3)).item() == 0  # what is constant correlates with nothing


def test_error_and_disagreement_are_those_of_the_paper():
    students, teacher = torch.randn(3, 2, 5, 4, 4).double(), torch.randn(2, 5, 4, 4).double()
    error, disagreement = error_and_disagreement(students, teacher)
    mean = students.mean(0)
    torch.testing.assert_close(error, (mean - teacher).square().sum(1))
    torch.testing.assert_close(disagreement, students.square().sum(2).mean(0) - mean.square().sum(1))
    assert (error >= 0).all() and (disagreement >= 0).all()


def test_students_who_agree_have_no_disagreement_at_all():
    student = torch.randn(2, 5, 4, 4)
    error, disagreement = error_and_disagreement(student.expand(3, -1, -1, -1, -1), student)
    assert (disagreement == 0).all()
    assert error.max() < 1e-10


def test_a_student_s_loss_is_a_mean_over_places():
    student, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 2.0]], [[1.0, 0.0]]]])
    assert student_loss(student, target).item() == (2 + 4) / 2
