"""The unified network of Baur et al.: shapes, counts and losses against the spec and hand-made values."""

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from medad.networks.baur import (
    Shape,
    UnifiedAE,
    UnifiedVAE,
    image_critic,
    latent_critic,
    layer_norm,
    to_unit_interval,
)
from medad.networks.folding import folded
from medad.networks.wasserstein import critic_loss

SMALL = Shape(64, 1, 4)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def outputs(network: nn.Module, x: Tensor, kinds: type | tuple[type, ...]) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, kinds):
            layer.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[1:])))
    network(x)
    return shapes


def test_the_encoder_at_64_is_the_spec_s():
    encoder = UnifiedAE(Shape(64, 1, 32)).encoder
    assert outputs(encoder, torch.rand(2, 1, 64, 64), (nn.Conv2d, nn.Flatten, nn.Linear)) == [
        (32, 32, 32),
        (64, 16, 16),
        (128, 8, 8),
        (16, 8, 8),
        (1024,),
        (128,),
    ]


def test_other_sizes_change_the_number_of_levels():
    for size, levels, last in ((32, 2, (64, 8, 8)), (128, 4, (128, 8, 8)), (256, 5, (128, 8, 8)), (96, 4, (128, 6, 6))):
        assert (Shape(size, 1, 32).levels, Shape(size, 1, 32).last) == (levels, last)


def convolution(a: int, b: int, kernel: int) -> int:
    return a * b * kernel**2 + b


def test_parameter_counts():
    down = convolution(1, 32, 5) + convolution(32, 64, 5) + convolution(64, 128, 5)
    up = convolution(128, 128, 5) + convolution(128, 64, 5) + convolution(64, 32, 5) + convolution(32, 1, 1)
    norms, first_norm = 2 * (32 + 64 + 128), 2 * 128
    pointwise = convolution(128, 16, 1) + convolution(16, 128, 1)
    to_code, from_code = 1024 * 128 + 128, 128 * 1024 + 1024
    count = down + up + 2 * norms + first_norm + pointwise + to_code + from_code
    assert parameters(UnifiedAE(Shape(64, 1, 32))) == count
    assert parameters(UnifiedVAE(Shape(64, 1, 32))) == count + to_code
    spatial = down + up + 2 * norms + first_norm + 2 * convolution(128, 64, 1) + convolution(64, 128, 1)
    assert parameters(UnifiedVAE(Shape(64, 1, 32), bottleneck="spatial")) == spatial
    assert parameters(image_critic(Shape(64, 1, 32))) == down + norms + 128 * 64 + 1
    assert parameters(latent_critic(128, 50, 50)) == 129 * 50 + 51 * 50 + 51
    assert parameters(latent_critic(128, 400, 200)) == 129 * 400 + 401 * 200 + 201


@pytest.mark.parametrize(("size", "channels"), [(64, 1), (64, 3), (128, 1), (256, 1)])
@pytest.mark.parametrize("bottleneck", ["dense", "spatial"])
def test_reconstructions_have_the_shape_of_the_images(size, channels, bottleneck):
    x, shape = torch.rand(2, channels, size, size), Shape(size, channels, 2)
    assert UnifiedAE(shape, 8)(x).shape == x.shape
    network = UnifiedVAE(shape, 8, bottleneck=bottleneck)
    assert network(x).shape == x.shape
    assert network.code == ((8,) if bottleneck == "dense" else (4, 8, 8))
    assert network.posterior(x)[1].shape[1:] == network.code
    assert image_critic(shape)(x).shape == (2, 1)


def test_what_scores_computes_what_was_trained():
    x = torch.rand(3, 1, 64, 64)
    for network in (UnifiedAE(SMALL), UnifiedVAE(SMALL), UnifiedVAE(SMALL, bottleneck="spatial")):
        for _ in range(3):
            network(torch.rand(8, 1, 64, 64))  # running statistics of their own
        torch.testing.assert_close(folded(network)(x), network.eval()(x), rtol=1e-4, atol=1e-5)


def test_dropout_is_in_training_only_and_leaves_the_code_alone():
    network, x = UnifiedAE(SMALL, dropout=0.5), torch.rand(4, 1, 64, 64)
    assert torch.equal(network.encode(x), network.encode(x))
    z = network.encode(x).detach()
    assert not torch.equal(network.decode(z), network.decode(z))
    network.eval()
    assert torch.equal(network.decode(z), network.decode(z))


def test_losses_of_the_autoencoder():
    network, x = UnifiedAE(SMALL).eval(), torch.rand(3, 1, 64, 64)
    torch.testing.assert_close(network.loss(x), nn.functional.mse_loss(network(x), x))
    z = network.encoder(x)
    out = network.decoder(z)
    expected = nn.functional.mse_loss(out, x) + nn.functional.mse_loss(network.encoder(out), z)
    torch.testing.assert_close(network.constrained_loss(x), expected)
    mine = torch.autograd.grad(network.constrained_loss(x), list(network.parameters()))
    for one, other in zip(mine, torch.autograd.grad(expected, list(network.parameters())), strict=True):
        torch.testing.assert_close(one, other)  # nothing is detached


@pytest.mark.parametrize("bottleneck", ["dense", "spatial"])
def test_loss_of_the_variational_autoencoder(bottleneck):
    network, x = UnifiedVAE(SMALL, bottleneck=bottleneck).eval(), torch.rand(3, 1, 64, 64)
    noise = torch.randn(3, *network.code)
    features = network.encoder(x)
    posterior = Normal(network.mean(features), network.log_sigma(features).exp())
    out = network.generator(posterior.mean + posterior.stddev * noise)
    kl = kl_divergence(posterior, Normal(0, 1)).sum()
    torch.testing.assert_close(network.loss(x, noise), ((x - out).abs().sum() + kl) / 3)


def test_the_norm_of_generator_and_critic_sees_one_image():
    x = torch.randn(5, 8, 6, 6) * torch.arange(1, 6).view(5, 1, 1, 1) + 3
    out = layer_norm(8)(x)
    torch.testing.assert_close(out, nn.functional.layer_norm(x, x.shape[1:]))
    critic, images = image_critic(SMALL), torch.rand(4, 1, 64, 64)
    torch.testing.assert_close(critic(images)[1:2], critic(images[1:2]))


def test_the_image_critic_can_learn_from_its_slope():
    critic = image_critic(SMALL)
    loss = critic_loss(critic, torch.rand(4, 1, 64, 64), torch.rand(4, 1, 64, 64), torch.rand(4))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in critic.parameters())


def test_slopes():
    for network, slope in ((UnifiedAE(SMALL), 0.3), (image_critic(SMALL), 0.3), (latent_critic(8, 4, 4), 0.2)):
        assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {slope}


def test_the_scale_of_the_images():
    assert to_unit_interval(torch.tensor([-1.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]
