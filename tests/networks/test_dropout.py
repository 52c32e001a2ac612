"""Monte Carlo dropout: thinned networks with common masks."""

import pytest
import torch
from torch import nn

from medad.networks.autoencoder import AE, AEU
from medad.networks.dropout import DroppedReLU, add_dropout, draw_masks
from medad.networks.folding import folded


def make_network(rate=0.3):
    torch.manual_seed(0)
    network = AEU(32, hidden=16)
    add_dropout(network, rate)
    return network


def test_parameters_keep_their_names_and_every_relu_is_replaced():
    network = make_network()
    assert network.state_dict().keys() == AEU(32, hidden=16).state_dict().keys()
    assert not any(isinstance(module, nn.ReLU) for module in network.modules())
    replaced = sum(isinstance(module, nn.ReLU) for module in AEU(32, hidden=16).modules())
    assert sum(isinstance(module, DroppedReLU) for module in network.modules()) == replaced > 5


def test_without_masks_evaluation_drops_nothing():
    torch.manual_seed(0)
    plain, network, x = AE(32, hidden=16).eval(), AE(32, hidden=16), torch.randn(2, 1, 32, 32)
    add_dropout(network, 0.5)
    network.load_state_dict(plain.state_dict())
    assert torch.equal(network.eval()(x).mean, plain(x).mean)
    assert not torch.equal(network.train()(x).mean, network(x).mean)


def test_training_drops_the_share_and_keeps_the_mean():
    torch.manual_seed(0)
    dropped = DroppedReLU(0.25).train()(torch.ones(1000, 100))
    assert (dropped == 0).float().mean() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean() == pytest.approx(1, abs=0.01)


def test_each_pass_is_one_thinned_network_for_all_images():
    network = folded(make_network())
    draw_masks(network, 5, seed=1, example=torch.zeros(1, 1, 32, 32))
    x = torch.randn(3, 1, 32, 32)
    together = network(x.repeat(5, 1, 1, 1)).mean.unflatten(0, (5, 3)).detach()
    for i in range(3):
        alone = network(x[i : i + 1].expand(5, -1, -1, -1)).mean
        torch.testing.assert_close(alone, together[:, i])
    assert together.std(0).min() > 0
    for layer in (module for module in network.modules() if isinstance(module, DroppedReLU)):
        assert layer.masks.shape[0] == 5
        assert layer.masks.unique().tolist() == [0, pytest.approx(1 / 0.7)]


def test_masks_come_from_the_seed():
    networks = [make_network().eval() for _ in range(3)]
    for network, seed in zip(networks, (1, 1, 2), strict=True):
        draw_masks(network, 2, seed, torch.zeros(1, 1, 32, 32))
    x = torch.randn(1, 1, 32, 32).expand(2, -1, -1, -1)
    one, same, other = (network(x).mean.detach() for network in networks)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
