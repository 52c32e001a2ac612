"""The networks of f-AnoGAN: the layers of the authors' code, counted by hand."""

import pytest
import torch

from medad.networks.wasserstein import critic_loss
from medad.networks.wgan import Critic, Encoder, Generator, smallest_maps, trunk_channels


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def up(a: int, b: int) -> int:
    norms, first, second, shortcut = 2 * a + 2 * b, 9 * a * b, 9 * b * b + b, a * b + b
    return norms + first + second + shortcut


def down(a: int, b: int) -> int:
    norms, first, second, shortcut = 2 * a + 2 * a, 9 * a * a, 9 * a * b + b, a * b + b
    return norms + first + second + shortcut


UP = up(512, 512) + up(512, 256) + up(256, 128) + up(128, 64)
DOWN = down(64, 128) + down(128, 256) + down(256, 512) + down(512, 512)


@pytest.mark.parametrize("channels", [1, 3])
def test_parameter_counts(channels):
    start, first, last = 128 * 8192 + 8192, 9 * channels * 64 + 64, 2 * 64 + 9 * 64 * channels + channels
    assert parameters(Generator(64, channels)) == start + UP + last
    assert parameters(Critic(64, channels)) == first + DOWN + 8192 + 1
    assert parameters(Encoder(64, channels)) == first + DOWN + 8192 * 128 + 128
    assert parameters(Critic(128, channels)) == first + DOWN + down(512, 512) + 8192 + 1
    assert parameters(Generator(256, channels)) == start + UP + 2 * up(512, 512) + last


def test_trunks_end_with_maps_of_four_by_four():
    assert trunk_channels(64, 64) == [64, 128, 256, 512, 512]
    assert trunk_channels(128, 64) == [64, 128, 256, 512, 512, 512]
    assert trunk_channels(256, 64) == [64, 128, 256, 512, 512, 512, 512]
    assert [smallest_maps(size, 64) for size in (64, 128, 256)] == [(512, 4, 4)] * 3
    assert smallest_maps(96, 2) == (16, 6, 6)


@pytest.mark.parametrize("size", [48, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_ranges(size, channels):
    generator, critic = Generator(size, channels, 1, 5), Critic(size, channels, 1)
    x = generator(3 * torch.randn(2, 5))
    assert x.shape == (2, channels, size, size)
    assert x.abs().max() <= 1
    assert critic(x).shape == (2,)
    assert critic.features(x).shape == (2, 8 * (size // 16 if size < 128 else 4) ** 2)
    assert Encoder(size, channels, 1, 5)(x).shape == (2, 5)


def test_the_encoder_is_bounded_if_asked():
    torch.manual_seed(0)
    encoder, x = Encoder(64, width=1, latent=4), 1e3 * torch.randn(3, 1, 64, 64)
    encoder.eval()
    bounded = encoder(x)
    encoder.bounded = False
    assert encoder(x).abs().max() > 1
    torch.testing.assert_close(bounded, encoder(x).tanh())


def test_the_critic_judges_every_image_alone():
    critic, x = Critic(64, width=2), torch.randn(3, 1, 64, 64)
    torch.testing.assert_close(critic(x), torch.cat([critic(one) for one in x.split(1)]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(critic.judged(critic.features(x)), critic(x))


def test_the_penalty_reaches_all_that_shapes_the_slope():
    torch.manual_seed(0)
    critic = Critic(64, width=1).double()
    real, fake = torch.randn(2, 2, 1, 64, 64, dtype=torch.float64)
    zero = critic_loss(critic, real, fake, torch.rand(2).double(), weight=0)
    penalty = critic_loss(critic, real, fake, torch.rand(2).double()) - zero
    slopes = torch.autograd.grad(penalty, list(critic.parameters()), allow_unused=True)
    weights = [g for (name, _), g in zip(critic.named_parameters(), slopes, strict=True) if name.endswith("weight")]
    assert all(g is not None and g.abs().sum() > 0 for g in weights)
