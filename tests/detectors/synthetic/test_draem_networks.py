"""DRAEM's networks: their published sizes, and that any image size passes."""

import pytest
import torch
from torch import nn

from medad.detectors.synthetic.draem_networks import DRAEMNetwork


def test_published_sizes():
    with torch.device("meta"):
        network = DRAEMNetwork(3)
    assert sum(p.numel() for p in network.parameters()) == 97_422_725  # 97.4 M
    assert [m.out_channels for m in network.reconstructive.down.modules() if isinstance(m, nn.Conv2d)] == [
        *(128, 128, 256, 256, 512, 512, 1024, 1024, 1024, 1024)
    ]
    assert network.discriminative.down[0][0].in_channels == 6
    assert [m.out_channels for m in network.discriminative.down.modules() if isinstance(m, nn.Conv2d)][::2] == [
        *(64, 128, 256, 512, 512, 512)
    ]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [48, 64, 112])
def test_shapes(size, channels):
    repaired, logits = DRAEMNetwork(channels, 2)(torch.rand(2, channels, size, size))
    assert repaired.shape == (2, channels, size, size)
    assert logits.shape == (2, 2, size, size)


def test_the_segmentation_teaches_the_repair_too():
    network = DRAEMNetwork(1, 2)
    network(torch.rand(2, 1, 64, 64))[1].square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.reconstructive.down[0].parameters() if p.ndim == 4)


def test_weights_begin_as_published():
    torch.manual_seed(0)
    network = DRAEMNetwork(3, 32)
    convs = torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d)])
    norms = torch.cat([m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert abs(convs.mean()) < 1e-4 and abs(convs.std() - 0.02) < 1e-4
    assert abs(norms.mean() - 1) < 2e-3 and abs(norms.std() - 0.02) < 2e-3
