"""Changes of textures, each against what it says."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from medad.synthesis import texture_changes as changes
from medad.synthesis.texture_changes import CHANGES, changed_textures


@pytest.fixture
def texture():
    return torch.from_numpy(np.random.default_rng(0).integers(30, 220, (3, 16, 16))).float() / 255


def pillow(x: torch.Tensor, operation) -> torch.Tensor:
    pixels = (x * 255).round().byte().numpy()
    return torch.stack([torch.from_numpy(np.array(operation(Image.fromarray(p)))) for p in pixels]) / 255


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", CHANGES)
def test_shapes_and_finite_values_also_of_flat_textures(change, channels, texture):
    torch.manual_seed(0)
    for x in (texture[:channels], torch.zeros(channels, 16, 16), torch.ones(channels, 16, 16)):
        found = change(x)
        assert found.shape == x.shape and found.dtype == x.dtype
        assert torch.isfinite(found).all()


def test_three_different_changes_in_any_order(monkeypatch, texture):
    made = []
    monkeypatch.setattr(changes, "CHANGES", tuple(lambda x, k=k: made.append(k) or x for k in range(len(CHANGES))))
    torch.manual_seed(1)
    assert torch.equal(changed_textures(texture.expand(300, -1, -1, -1)), texture.expand(300, -1, -1, -1))
    triples = [made[i : i + 3] for i in range(0, 900, 3)]
    assert all(len(set(triple)) == 3 for triple in triples)
    for place in range(3):
        assert {triple[place] for triple in triples} == set(range(10))


def test_textures_stay_in_range_and_are_repeated_by_a_seed(texture):
    many = torch.cat([texture.expand(40, -1, -1, -1)])
    torch.manual_seed(2)
    found = changed_textures(many)
    assert found.min() >= 0 and found.max() <= 1
    torch.manual_seed(2)
    assert torch.equal(changed_textures(many), found)


def test_those_that_pillow_knows(texture):
    torch.testing.assert_close(changes.inverted(texture), pillow(texture, ImageOps.invert))
    found = changes.autocontrast(texture)
    torch.testing.assert_close(found, pillow(texture, ImageOps.autocontrast), atol=1.01 / 255, rtol=0)


def test_equalised_greys_are_their_ranks(texture):
    found = changes.equalised(texture)
    for x, y in zip(texture, found, strict=True):
        expected = torch.stack([(x <= value).float().mean() for value in x.flatten()]).view_as(x)
        torch.testing.assert_close(y, expected)


def test_gamma_brightness_and_solarising_stay_within_their_bounds(texture):
    torch.manual_seed(3)
    powers, negatives = [], 0
    for _ in range(300):
        powers.append((changes.gamma(texture).log() / texture.log()).flatten(1))
        difference = changes.brightness(texture) - texture
        assert (difference.abs() <= 0.2 * texture + 30 / 255 + 1e-5).all()
        solar = changes.solarised(texture)
        turned = solar != texture
        negatives += bool(turned.any())
        torch.testing.assert_close(solar[turned], 1 - texture[turned])
        assert not turned[texture <= 32 / 255].any()
    powers = torch.stack(powers)
    assert (powers.amax(2) - powers.amin(2)).max() < 1e-3
    assert 0.5 - 1e-3 <= powers.min() < 0.52 and 1.97 < powers.max() <= 2 + 1e-3
    assert 110 < negatives < 190


def test_posterised_has_steps(texture):
    torch.manual_seed(4)
    counts = {len(changes.posterised(torch.linspace(0, 1, 1024).view(1, 32, 32)).unique()) for _ in range(100)}
    assert counts == {2, 4, 8, 16, 32, 64, 128, 256}


def test_sharpness_keeps_the_mean_of_the_inside():
    torch.manual_seed(5)
    x = torch.zeros(1, 9, 9)
    x[0, 4, 4] = 1
    weights = torch.stack([changes.sharpness(x)[0, 3, 3] for _ in range(200)]) * -9 + 1
    assert weights.min() < 0.1 and weights.max() > 1.9
    torch.testing.assert_close(changes.sharpness(x).sum(), torch.tensor(1.0))


def test_grey_has_no_hue(texture):
    assert torch.equal(changes.hue_and_saturation(texture[:1]), texture[:1])
