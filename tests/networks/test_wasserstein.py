"""The gradient penalty where it is known."""

import pytest
import torch

from medad.networks.wasserstein import critic_loss, gradient_penalty


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_is_its_slopes(slope):
    direction = torch.randn(1, 4, 4, dtype=torch.float64)
    direction *= slope / direction.norm()
    real, fake = torch.rand(2, 5, 1, 4, 4, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: (x * direction).sum((1, 2, 3)), real, fake, torch.rand(5).double())
    assert penalty.item() == pytest.approx((slope - 1) ** 2, rel=1e-6, abs=1e-12)


def test_the_point_between_lies_on_the_segment():
    seen = []

    def critic(x):
        seen.append(x)
        return x.square().sum(1)

    real, fake = torch.zeros(3, 2), torch.ones(3, 2)
    share = torch.tensor([0.0, 0.25, 1.0])
    penalty = gradient_penalty(critic, real, fake, share)
    torch.testing.assert_close(seen[0].detach(), (1 - share)[:, None].expand(3, 2))
    norms = (2 * (1 - share)[:, None].expand(3, 2)).norm(dim=1)
    torch.testing.assert_close(penalty.detach(), (norms - 1).square().mean())


def test_the_penalty_teaches_the_critic():
    critic = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.LeakyReLU(), torch.nn.Linear(8, 1))
    real, fake = torch.randn(2, 6, 4)
    fake.requires_grad_(True)
    loss = critic_loss(critic, real, fake, torch.rand(6))
    expected = critic(fake).mean() - critic(real).mean()
    loss.backward()
    assert fake.grad is None  # the critic's loss does not reach the generator
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in critic[0].parameters())
    assert loss.item() >= expected.item()
