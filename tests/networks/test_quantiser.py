"""Vector quantisers against a search of all vectors, and their codebooks' learning against the formulas."""

import copy

import numpy as np
import pytest
import torch

from medad.networks.quantiser import EMAQuantiser, GradientQuantiser

KINDS = pytest.mark.parametrize("kind", [GradientQuantiser, EMAQuantiser])


def features(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=torch.channels_last)


@KINDS
def test_every_vector_becomes_the_nearest_one(kind):
    quantiser, z = kind(16, 5).eval(), features(3, 5, 4, 6)
    if kind is GradientQuantiser:
        quantiser.codebook.data.mul_(16)  # of the size of the features: else one vector is nearest to most
    out = quantiser(z)
    book, vectors = quantiser.codebook.detach().double().numpy(), z.double().numpy()
    for n, i, j in np.ndindex(3, 4, 6):
        nearest = np.argmin([((vectors[n, :, i, j] - e) ** 2).sum() for e in book])
        assert out.codes[n, i, j] == nearest
        np.testing.assert_allclose(out.values[n, :, i, j].detach(), book[nearest], atol=1e-6)
    assert len(out.codes.unique()) > 8
    torch.testing.assert_close(quantiser.look_up(out.codes), out.values, atol=1e-6, rtol=0)


@KINDS
def test_the_gradient_goes_straight_through(kind):
    quantiser, z = kind(16, 5), features(2, 5, 3, 3).requires_grad_()
    weights = torch.randn(2, 5, 3, 3)
    (quantiser(z).values * weights).sum().backward()
    torch.testing.assert_close(z.grad, weights)
    assert all(p.grad is None for p in quantiser.parameters())


def test_both_terms_of_the_loss_draw_their_side_only():
    quantiser, z = GradientQuantiser(4, 5), features(2, 5, 3, 3).requires_grad_()
    out = quantiser(z)
    e = quantiser.codebook.detach()[out.codes].movedim(-1, 1)
    assert out.loss.item() == pytest.approx(2 * ((z - e) ** 2).mean().item(), rel=1e-6)
    out.loss.backward()
    slope = 2 * (z - e).detach() / z.numel()
    torch.testing.assert_close(z.grad, slope)
    expected = torch.zeros(4, 5).index_add_(0, out.codes.flatten(), -slope.movedim(1, -1).flatten(0, 2))
    torch.testing.assert_close(quantiser.codebook.grad, expected)


def test_running_means_follow_the_formula():
    quantiser = EMAQuantiser(6, 3, decay=0.9)
    assert not list(quantiser.parameters())
    sums = book = quantiser.codebook.double().numpy().copy()
    counts = np.ones(6)
    for step in range(4):
        z = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(step))
        vectors = z.double().movedim(1, -1).flatten(0, 2).numpy()
        codes = ((vectors[:, None] - book) ** 2).sum(2).argmin(1)
        out = quantiser(z)
        np.testing.assert_allclose(out.values.movedim(1, -1).flatten(0, 2), book[codes], atol=1e-5)  # not yet moved
        assert out.loss.item() == pytest.approx(((vectors - book[codes]) ** 2).mean(), rel=1e-5)
        counts = 0.9 * counts + 0.1 * np.bincount(codes, minlength=6)
        sums = 0.9 * sums + 0.1 * np.eye(6)[codes].T @ vectors
        smoothed = (counts + 1e-5) / (counts.sum() + 6e-5) * counts.sum()
        book = sums / smoothed[:, None]
        np.testing.assert_allclose(quantiser.codebook, book, rtol=1e-4, atol=1e-5)


def test_running_means_rest_in_evaluation_and_are_saved():
    quantiser = EMAQuantiser(6, 3)
    quantiser(features(2, 3, 4, 4))
    assert quantiser.state_dict().keys() == {"codebook", "counts", "sums"}
    before = copy.deepcopy(quantiser.state_dict())
    quantiser.eval()(features(2, 3, 4, 4))
    assert all(torch.equal(before[name], value) for name, value in quantiser.state_dict().items())


def test_an_unused_vector_stays_finite():
    quantiser = EMAQuantiser(4, 2, decay=0.0)
    quantiser(torch.zeros(1, 2, 8, 8))
    assert quantiser.codebook.isfinite().all()
    assert (quantiser.counts == 0).sum() == 3


@KINDS
def test_distances_are_never_rounded_to_sixteen_bits(kind):
    quantiser, z = kind(64, 8), features(4, 8, 4, 4)
    expected = quantiser.eval()(z)
    with torch.autocast("cpu", torch.bfloat16):
        out = quantiser(z)
    assert torch.equal(out.codes, expected.codes)
    assert out.values.dtype == torch.float32
