"""Patch networks on whole images against the same networks on every patch alone."""

import pytest
import torch

from medad.networks.patch_network import LAYERS, POOL, PatchNetwork, padded

SIZE = 20


def network(patch, channels=1):
    torch.manual_seed(patch)
    return PatchNetwork(patch, channels, 4).eval().requires_grad_(False)


@pytest.mark.parametrize("patch", LAYERS)
def test_one_patch_gives_one_descriptor_and_the_papers_channels(patch):
    assert network(patch, 3)(torch.rand(2, 3, patch, patch)).shape == (2, 4, 1, 1)
    convolutions = [layer for layer in PatchNetwork(patch, 3).layers if isinstance(layer, torch.nn.Conv2d)]
    assert convolutions[0].in_channels == 3 and convolutions[-1].out_channels == 128
    assert max(layer.out_channels for layer in convolutions) == 256


@pytest.mark.parametrize("patch", LAYERS)
def test_a_map_holds_what_the_network_says_of_every_patch(patch):
    net, x = network(patch), torch.rand(1, 1, SIZE, SIZE)
    around = torch.nn.functional.pad(x, [patch // 2] * 4)
    patches = around.unfold(2, patch, 1).unfold(3, patch, 1)[0, 0].reshape(-1, 1, patch, patch)
    alone = net(patches).reshape(SIZE, SIZE, 4).permute(2, 0, 1)
    torch.testing.assert_close(net(padded(x, patch))[0], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("patch", LAYERS)
@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_a_coarse_map_is_a_part_of_the_whole(patch, stride):
    net, x = network(patch, 3), torch.rand(2, 3, 64, 64)
    whole, coarse = net(padded(x, patch)), net(padded(x, patch, stride), stride)
    start = stride // 2
    torch.testing.assert_close(coarse, whole[:, :, start::stride, start::stride], rtol=0, atol=1e-5)


@pytest.mark.parametrize("patch", LAYERS)
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_sides_may_be_any(patch, stride):
    net = network(patch)
    for sides in ((patch, patch + 1), (patch + 5, patch + 14)):
        found = net(torch.rand(1, 1, *sides), stride)
        assert found.shape[2:] == tuple((side - patch) // stride + 1 for side in sides)


def test_the_last_values_are_not_bent():
    assert all(isinstance(network(patch).layers[-1], torch.nn.Conv2d) for patch in LAYERS)
    assert [network(patch).spacing for patch in LAYERS] == [1, 4, 8]
    assert all(2 ** layers.count(POOL) == network(patch).spacing for patch, layers in LAYERS.items())
