"""The discriminator of pairs against the same in single operations."""

import torch
from torch.nn import functional as F

from medad.detectors.adversarial.bigan import PairDiscriminator


def test_the_discriminator_is_its_description():
    network = PairDiscriminator(64, 3, 1, 5).double().eval()
    x, z = torch.randn(4, 3, 64, 64, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64)
    code, joint, out = network.code[0], network.joint[1], network.out
    f = torch.cat([network.image(x), F.leaky_relu(z @ code.weight.T + code.bias, 0.1)], 1)
    f = F.leaky_relu(f @ joint.weight.T + joint.bias, 0.1)
    torch.testing.assert_close(network.features(x, z), f)
    torch.testing.assert_close(network(x, z), (f @ out.weight.T + out.bias)[:, 0].float())


def test_the_sizes_of_its_branches():
    network = PairDiscriminator(64)
    assert network.code[0].weight.shape == (512, 200)
    assert network.joint[1].weight.shape == (1024, 8192 + 512)


def test_the_image_does_not_drown_the_code():
    f = PairDiscriminator(64, width=4).image(100 * torch.randn(2, 1, 64, 64))
    before = torch.where(f < 0, f / 0.1, f)
    torch.testing.assert_close(before.mean(1), torch.zeros(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(before.square().mean(1), torch.ones(2), rtol=1e-3, atol=0)


def test_half_of_the_values_are_dropped_in_training():
    torch.manual_seed(0)
    network = PairDiscriminator(64, width=4)
    features = network.features(torch.randn(64, 1, 64, 64), torch.randn(64, 200))
    assert 0.45 < (features == 0).float().mean() < 0.55
    network.eval()
    assert not (network.features(torch.randn(2, 1, 64, 64), torch.randn(2, 200)) == 0).any()
