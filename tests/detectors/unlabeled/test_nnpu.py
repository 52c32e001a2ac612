"""The non-negative risk against numbers worked out by hand, and the share of normal images."""

import math

import numpy as np
import pytest
import torch

from medad.detectors.unlabeled.nnpu import SNAPSHOTS, non_negative_risk, score, train
from medad.detectors.unlabeled.share import best_bin


def outputs(*probabilities):
    """Return what a network says that takes an image for normal with these probabilities."""
    return torch.tensor([math.log(p / (1 - p)) for p in probabilities], dtype=torch.float64)


def test_the_risk_by_hand():
    # Normal ones cost 1 - p: .2 and .4. Unlabeled ones as abnormal cost p: .9, .3, .3; of that, pi (.8 + .6) / 2 goes.
    risk = non_negative_risk(outputs(0.8, 0.6), outputs(0.9, 0.3, 0.3), 0.5)
    assert float(risk) == pytest.approx(0.5 * 0.3 + (0.5 - 0.5 * 0.7))


def test_below_zero_the_step_goes_back():
    normal, unlabeled = outputs(0.8, 0.6).requires_grad_(), outputs(0.2, 0.1).requires_grad_()
    risk = non_negative_risk(normal, unlabeled, 0.5)
    assert float(risk.detach()) == pytest.approx(-(0.15 - 0.35))
    risk.backward()
    # d/dz sigmoid = p (1 - p); R = mean(sigmoid(u)) - pi mean(sigmoid(n)), and the objective is -R alone
    np.testing.assert_allclose(unlabeled.grad, [-0.16 / 2, -0.09 / 2], rtol=1e-6)
    np.testing.assert_allclose(normal.grad, [0.5 * 0.16 / 2, 0.5 * 0.24 / 2], rtol=1e-6)


def test_above_zero_its_gradient_is_that_of_the_unbiased_risk():
    normal, unlabeled = outputs(0.8, 0.6).requires_grad_(), outputs(0.9, 0.7).requires_grad_()
    non_negative_risk(normal, unlabeled, 0.5).backward()
    np.testing.assert_allclose(unlabeled.grad, [0.09 / 2, 0.21 / 2], rtol=1e-6)
    np.testing.assert_allclose(normal.grad, [-0.16 / 2, -0.24 / 2], rtol=1e-6)  # both terms of the normal ones


def test_it_ranks_abnormal_images_last_among_the_normal():
    rng = np.random.default_rng(0)
    normal, unlabeled = rng.normal(size=(200, 4)), rng.normal(size=(200, 4))
    unlabeled[:80, 0] += 3
    found = train(*(torch.from_numpy(part.astype(np.float32)) for part in (normal, unlabeled)), 0.6, 0)
    found |= {"mean": torch.zeros(4), "scale": torch.ones(4)}
    scores = score(found, len(SNAPSHOTS) - 1, torch.from_numpy(unlabeled))
    assert scores[:80].median() > scores[80:].quantile(0.9)


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_the_best_bin_finds_the_share_of_normal_images(share):
    rng = np.random.default_rng(1)
    normal, count = rng.normal(size=3000), round(3000 * share)
    unlabeled = np.concatenate([rng.normal(size=count), rng.normal(4, 1, 3000 - count)])
    assert best_bin(normal, unlabeled) == pytest.approx(share, abs=0.04)
