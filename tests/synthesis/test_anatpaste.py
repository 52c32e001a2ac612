"""AnatPaste: patches in lungs alone, of the image itself, soft and of the published strengths."""

import pytest
import torch

from medad.synthesis import anatpaste
from medad.synthesis.anatpaste import anatpaste_classes, paste_into_lungs


def lungs(n: int, size: int) -> torch.Tensor:
    mask = torch.zeros(n, size, size, dtype=torch.bool)
    mask[:, size // 4 : -size // 4, size // 8 : size // 2] = True
    return mask


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_nothing_changes_outside_the_lungs_and_something_inside(size, channels):
    torch.manual_seed(0)
    x = 2 * torch.rand(16, channels, size, size) - 1
    mask = lungs(16, size)
    found = paste_into_lungs(x, mask)
    assert found.shape == x.shape and found.abs().max() <= 1
    changed = (found != x).any(1)
    assert not (changed & ~mask).any()
    assert changed.any((1, 2)).all()
    torch.manual_seed(0)
    again = 2 * torch.rand(16, channels, size, size) - 1
    assert torch.equal(paste_into_lungs(again, mask), found)


def alphas(n: int, size: int, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Return alpha itself: black images, white patches."""
    monkeypatch.setattr(anatpaste, "jitter_colours", lambda x, *rest: torch.ones_like(x))
    x = torch.full((n, 1, size, size), -1.0)
    return (paste_into_lungs(x, torch.ones(n, size, size, dtype=torch.bool))[:, 0] + 1) / 2


def test_strengths_sizes_and_places(monkeypatch):
    torch.manual_seed(1)
    found = alphas(150, 224, monkeypatch)
    strongest = found.amax((1, 2))
    assert strongest.max() <= 254 / 255 + 1e-5
    assert strongest.max() > 0.95 and strongest.min() < 0.6
    areas = (found > 0).sum((1, 2))
    assert areas.max() <= 0.15 * 224**2 and areas.min() > 0
    centre = found.flatten(1).argmax(1)
    for axis in (centre // 224, centre % 224):
        assert axis.min() < 25 and axis.max() > 199


def test_shapes_without_blur_are_ellipses_and_rectangles_in_the_middle_of_the_box(monkeypatch):
    torch.manual_seed(2)
    monkeypatch.setattr(anatpaste, "MOST_BLUR", 1)
    filled = []
    for alpha in alphas(100, 224, monkeypatch):
        mask = alpha > 0
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        if min(rows[0], columns[0]) > 0 and max(rows[-1], columns[-1]) < 223:
            assert alpha[mask].min() >= 150 / 255 - 1e-5 and alpha[mask].max() - alpha[mask].min() < 1e-5
            filled.append(float(mask.sum() / (len(rows) * len(columns))))
    rectangles = [share for share in filled if share == 1]
    ellipses = [share for share in filled if share < 1]
    assert len(filled) > 40 and 0.25 < len(rectangles) / len(filled) < 0.75
    assert sum(ellipses) / len(ellipses) == pytest.approx(torch.pi / 4, abs=0.06)


def test_the_patch_is_grey_and_of_the_image(monkeypatch):
    torch.manual_seed(3)
    monkeypatch.setattr(anatpaste, "jitter_colours", lambda x, *rest: x)
    x = torch.tensor([0.5, -0.5, 0.1]).view(1, 3, 1, 1).expand(4, 3, 64, 64).contiguous()
    found = paste_into_lungs(x, lungs(4, 64))
    grey = 0.299 * 0.5 - 0.587 * 0.5 + 0.114 * 0.1
    share = (found - x) / (grey - x)
    torch.testing.assert_close(share, share[:, :1].expand_as(share), atol=1e-4, rtol=0)


def test_classes():
    torch.manual_seed(4)
    x = 2 * torch.rand(3, 1, 64, 64) - 1
    found = anatpaste_classes(x, lungs(3, 64))
    assert found.shape == (3, 2, 1, 64, 64)
    assert torch.equal((found[:, 0] != found[:, 1])[:, 0] & ~lungs(3, 64), torch.zeros(3, 64, 64, dtype=torch.bool))
