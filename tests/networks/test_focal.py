"""The focal loss against a plain computation."""

import torch

from medad.networks.focal import focal_loss


def test_focal_loss_pixel_by_pixel():
    logits, target = torch.randn(2, 2, 3, 3), torch.randint(0, 2, (2, 3, 3))
    s, total = 1e-5, 0.0
    p = logits.double().softmax(1)
    for i in range(2):
        for y in range(3):
            for x in range(3):
                true, other = p[i, target[i, y, x], y, x], p[i, 1 - target[i, y, x], y, x]
                p_t = (1 - s) * true + s * other + s
                total -= (1 - p_t) ** 2 * p_t.log()
    torch.testing.assert_close(focal_loss(logits, target).double(), total / 18, rtol=1e-4, atol=1e-7)


def test_focal_loss_without_focus_is_cross_entropy():
    logits, target = torch.randn(2, 2, 5, 5), torch.randint(0, 2, (2, 5, 5))
    expected = torch.nn.functional.cross_entropy(logits, target)
    torch.testing.assert_close(focal_loss(logits, target, gamma=0.0, smooth=0.0), expected)


def test_focal_loss_of_a_perfect_prediction_is_nearly_zero():
    target = torch.randint(0, 2, (2, 5, 5))
    logits = torch.stack([1 - target, target], 1) * 50.0
    assert focal_loss(logits, target).abs() < 1e-8
