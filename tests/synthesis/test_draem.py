"""DRAEM's synthesis: what changes, by how much, and how often."""

import pytest
import torch

from medad.synthesis import draem
from medad.synthesis.draem import make_perlin, perlin_synthesis, turned_at_random


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_labels_are_where_images_change(size, channels):
    torch.manual_seed(0)
    x = 2 * torch.rand(12, channels, size, size) - 1
    images, labels = perlin_synthesis(x, x)
    assert images.shape == x.shape and images.dtype == x.dtype and images.abs().max() <= 1
    assert labels.shape == (12, size, size) and labels.dtype == torch.float32
    assert set(labels.unique().tolist()) <= {0, 1}
    outside = (labels == 0)[:, None].expand_as(x)
    assert torch.equal(images[outside], x[outside])
    assert torch.equal(labels > 0, (images != x).any(1)) and labels.any()
    torch.manual_seed(0)
    again = 2 * torch.rand(12, channels, size, size) - 1
    assert all(torch.equal(a, b) for a, b in zip(perlin_synthesis(again, again), (images, labels), strict=True))


def test_sources_do_not_count():
    x = torch.zeros(4, 1, 32, 32)
    found = []
    for sources in (x, x + 1):
        torch.manual_seed(1)
        found.append(perlin_synthesis(x, sources))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_opacities_and_shares(monkeypatch):
    monkeypatch.setattr(draem, "changed_textures", lambda x: x)
    torch.manual_seed(2)
    x = torch.full((600, 1, 32, 32), -1.0)
    white = make_perlin(textures=lambda n, channels, size, device: torch.ones(n, channels, size, size), share=0.5)
    images, labels = white(x, x)
    changed = labels.any(2).any(1)
    weights = torch.tensor([1 - (i[0][m == 1][0] + 1) / 2 for i, m in zip(images, labels, strict=True) if m.any()])
    assert 0 <= weights.min() < 0.02 and 0.78 < weights.max() <= 0.8
    assert 0.3 < changed.float().mean() < 0.52
    assert not make_perlin(share=0.0)(x[:4], x[:4]).labels.any()
    assert make_perlin(share=1.0)(x[:40], x[:40]).labels.any(2).any(1).float().mean() > 0.6


def test_three_of_ten_images_are_turned():
    torch.manual_seed(3)
    x = 2 * torch.rand(500, 1, 16, 16) - 1
    found = turned_at_random(x)
    turned = (found != x).flatten(1).any(1)
    assert 0.2 < turned.float().mean() < 0.4
    assert (found[turned].flatten(1) == -1).any(1).float().mean() > 0.7
