"""PixelSNAIL is causal and a distribution; drawing codes anew is what a loop over all places does."""

import itertools

import pytest
import torch
from scipy import stats

from medad.detectors.codebook.pixelsnail import CausalAttention, MaskedConv, PixelSNAIL
from medad.networks.folding import folded


def make(codes: int, side: int, width: int = 8, blocks: int = 1) -> PixelSNAIL:
    """A prior in evaluation mode whose untrained weights are large enough to make codes matter to each other."""
    torch.manual_seed(0)
    network = PixelSNAIL(codes, side, width, blocks).eval()
    for module in network.modules():
        if isinstance(module, MaskedConv):
            module.weight.data.mul_(30)
    return network


@pytest.mark.parametrize("side", [6, 12], ids=["attention-at-full-size", "attention-at-half-size"])
@torch.no_grad()
def test_a_place_depends_on_those_before_it_only(side):
    network = make(5, side, blocks=2)
    codes = torch.randint(5, (1, side, side))
    before = network(codes).flatten(2)
    for place in [0, 1, side - 1, side, 2 * side + 3, side**2 // 2, side**2 - 2, side**2 - 1]:
        changed = codes.clone()
        changed.view(-1)[place] = (changed.view(-1)[place] + 1) % 5
        difference = (network(changed).flatten(2) - before).abs().amax((0, 1))
        assert difference[: place + 1].max() < 1e-6
        neighbours = [place + 1] * ((place + 1) % side > 0) + [place + side] * (place + side < side**2)
        assert all(difference[neighbour] > 1e-5 for neighbour in neighbours)  # right and below


@torch.no_grad()
def test_probabilities_of_all_maps_sum_to_one():
    network = make(3, 2)
    maps = torch.tensor(list(itertools.product(range(3), repeat=4))).view(-1, 2, 2)
    p = (-network.nll(maps).double().sum((1, 2))).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-6)
    assert p.max() > 2 * p.min()  # not simply uniform


@torch.no_grad()
def test_the_nll_is_that_of_the_code_that_is_there():
    network, codes = make(3, 4), torch.randint(3, (2, 4, 4))
    p = network(codes).exp()
    torch.testing.assert_close(p.sum(1), torch.ones(2, 4, 4))
    for n, i, j in itertools.product(range(2), range(4), range(4)):
        assert network.nll(codes)[n, i, j].item() == pytest.approx(-p[n, codes[n, i, j], i, j].log().item(), abs=1e-6)
    torch.testing.assert_close(network.loss(codes), network.nll(codes).mean())


@torch.no_grad()
def test_attention_is_a_mean_of_the_values_before():
    attention = CausalAttention(6).eval()
    query, key = torch.randn(2, 1, 6, 3, 3)
    q, k, v = (
        net(x)[0].flatten(1).T for net, x in ((attention.query, query), (attention.key, key), (attention.value, key))
    )
    out = attention(query, key)[0].flatten(1).T
    assert (out[0] == 0).all()
    for place in range(1, 9):
        weights = (k[:place] @ q[place] / 4).softmax(0)
        torch.testing.assert_close(out[place], weights @ v[:place])


@torch.no_grad()
def test_masked_convolution_is_a_convolution_without_half_of_its_window():
    layer, x = MaskedConv(2, 3, 3, itself=True), torch.randn(1, 2, 5, 5)
    weight = torch.zeros(3, 2, 3, 3)
    weight[:, :, 0], weight[:, :, 1, 0], weight[:, :, 1, 1] = (
        layer.weight[..., :3],
        layer.weight[..., 3],
        layer.weight[..., 4],
    )
    torch.testing.assert_close(layer(x), torch.conv2d(x, weight, layer.bias, padding=1))
    assert MaskedConv(2, 3, 7, itself=False).weight.shape == (3, 2, 24)


@torch.no_grad()
def test_redrawing_is_a_loop_over_all_places():
    network, codes = make(4, 4), torch.randint(4, (6, 4, 4))
    limit = network.nll(codes).median()
    uniform = torch.rand(6, 16)
    expected = codes.clone()
    for place, (i, j) in enumerate(itertools.product(range(4), repeat=2)):
        p = network(expected)[:, :, i, j].exp()
        for n in range(6):
            if -p[n, expected[n, i, j]].log() > limit:
                expected[n, i, j] = int((p[n].cumsum(0) <= uniform[n, place]).sum())
    before = codes.clone()
    drawn = network.redraw(codes, limit, uniform)
    assert torch.equal(drawn, expected)
    assert torch.equal(codes, before)
    assert (drawn != codes).any()
    assert torch.equal(network.redraw(codes, torch.tensor(torch.inf), uniform), codes)
    assert torch.equal(
        torch.cat([network.redraw(codes[n : n + 1], limit, uniform[n : n + 1]) for n in range(6)]), drawn
    )


@torch.no_grad()
def test_all_codes_drawn_anew_are_a_sample_of_the_prior():
    network = make(2, 2)
    maps = torch.tensor(list(itertools.product(range(2), repeat=4))).view(-1, 2, 2)
    p = (-network.nll(maps).double().sum((1, 2))).exp()
    drawn = network.redraw(torch.zeros(8000, 2, 2, dtype=torch.int64), torch.tensor(-torch.inf), torch.rand(8000, 4))
    seen = torch.bincount(drawn.flatten(1) @ torch.tensor([8, 4, 2, 1]), minlength=16)
    assert stats.chisquare(seen.numpy(), (p / p.sum()).numpy() * 8000).pvalue > 1e-3
    assert stats.chisquare(seen.numpy()).pvalue < 1e-3  # a uniform one would look otherwise


def test_the_prior_learns_and_folds():
    torch.manual_seed(0)
    network = PixelSNAIL(4, 3, width=8, blocks=1)
    codes = torch.randint(4, (16, 1, 1)).expand(16, 3, 3)  # all codes are as the first
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(40):
        optimiser.zero_grad()
        network.loss(codes).backward()
        optimiser.step()
    assert network.eval().loss(codes) < 0.5  # log(4) / 9 = 0.15 is the least, log(4) = 1.39 that of no knowledge
    torch.testing.assert_close(folded(network)(codes), network(codes))
