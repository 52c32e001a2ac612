"""Patches: their sizes, what they hold, where they go, and what is pasted."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medad.synthesis.boxes import Boxes, inside
from medad.synthesis.patches import PatchSampler

SIZE = 64


def heads(count: int, size: int = SIZE, seed: int = 0) -> torch.Tensor:
    """Return discs with texture on black, (n, 1, S, S) in [-1, 1]."""
    rng = np.random.default_rng(seed)
    at = np.linspace(-1, 1, size)
    disc = np.hypot(at[:, None], at) < 0.8
    texture = ndimage.gaussian_filter(rng.standard_normal((count, 1, size, size)), (0, 0, 2, 2))
    grey = np.where(disc, 128 + 300 * texture, 0).clip(0, 255).round()
    return torch.tensor(grey / 127.5 - 1, dtype=torch.float32)


def overwrite(under: torch.Tensor, over: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    return torch.where(masks[:, None], over, under)


def test_objects_differ_from_the_background_without_grains():
    images = heads(3)
    images[:, :, 10, 3] = 1  # a grain
    grey = (images[:, 0].numpy() + 1) * 127.5
    expected = [ndimage.median_filter((np.abs(one) > 20).astype(int), size=7, mode="nearest") for one in grey]
    np.testing.assert_array_equal(PatchSampler().objects(images), expected)
    bright = PatchSampler(background=255.0).objects(-images)
    assert torch.equal(bright, PatchSampler().objects(images))
    assert PatchSampler(background=None).objects(images).all()


@pytest.mark.parametrize("size", [64, 224])
def test_half_widths_are_those_of_the_gamma_law_and_boxes_lie_in_the_image(size):
    torch.manual_seed(0)
    n = 1500
    box, found = PatchSampler()._box(torch.ones(1, size, size, dtype=torch.bool).expand(n, -1, -1))
    assert found.all()
    assert (box.first >= 0).all() and (box.first + box.length <= size).all()
    within = (box.first > 0) & (box.first + box.length < size)
    half = (box.length[within] // 2).numpy()
    drawn = np.random.default_rng(0).gamma(2, 0.03, 10**5)
    expected = np.clip((0.05 + drawn) * size, round(0.03 * size), round(0.4 * size)).astype(int)
    assert half.min() >= expected.min() and half.max() <= round(0.4 * size)
    assert abs(np.median(half) - np.median(expected)) <= 1 + 0.02 * size  # large ones touch the border more often
    touching = torch.minimum(box.first[0], size - box.first[0] - box.length[0]) == 0
    assert 0.1 < touching.float().mean() < 0.4


def test_patches_hold_enough_of_the_object():
    torch.manual_seed(1)
    objects = PatchSampler().objects(heads(200))
    box, found = PatchSampler()._box(objects)
    share = (inside(box, SIZE) & objects).sum((1, 2)) / box.length.prod(0)
    assert found.all() and (share > 0.7).all()
    assert share.min() < 0.8  # but no more than is asked for


def test_resized_patches_keep_their_proportion_within_the_bounds():
    torch.manual_seed(2)
    length = torch.randint(10, 40, (2, 3000))
    new = PatchSampler()._resized(Boxes(torch.zeros_like(length), length), 224).length
    low, high = round(0.03 * 224), round(0.4 * 224)
    assert new.min() >= low and new.max() <= high
    ratio = new / length
    assert ((ratio[0] - ratio[1]).abs() < 0.2).all()
    assert ratio.min() > 0.55  # lengths are whole numbers
    assert ratio.min() < 0.75 and 1.25 < ratio.max() <= 1.3
    wide = torch.full((2, 100), 170)
    assert (PatchSampler()._resized(Boxes(wide, wide), 224).length <= high).all()


def test_shifted_patches_lie_on_the_other_object():
    torch.manual_seed(3)
    sampler = PatchSampler(shift=True)
    theirs, objects = sampler.objects(heads(150)), sampler.objects(heads(150).roll((15, -10), (2, 3)))
    box, _ = sampler._box(theirs)
    place, found = sampler._shifted(box, box, theirs, objects)
    assert found.float().mean() > 0.95
    assert (place.first >= 0).all() and (place.first + place.length <= SIZE).all()
    shares = []
    for i in found.nonzero()[:, 0].tolist():
        (r, c), (top, left), (h, w) = box.first[:, i], place.first[:, i], box.length[:, i]
        patch, under = theirs[i, r : r + h, c : c + w], objects[i, top : top + h, left : left + w]
        shares.append(((patch & under).sum() / patch.sum()).item())
    assert min(shares) > 0.7 and min(shares) < 0.8


def test_without_shift_patches_stay_in_their_place():
    torch.manual_seed(4)
    images, sources = heads(50, seed=1), heads(50, seed=2)
    result, masks = PatchSampler().paste(images, sources, overwrite)
    assert masks.any((1, 2)).all()
    assert torch.equal(result, torch.where(masks[:, None], sources, images))


def test_a_shifted_patch_is_a_copy():
    torch.manual_seed(5)
    sampler = PatchSampler(shift=True, most=1)
    images, sources = heads(20, seed=1), heads(20, seed=2)
    result, masks = sampler.paste(images, sources, overwrite)
    for image, source, mask in zip(result[:, 0], sources[:, 0], masks, strict=True):
        (top, left), (bottom, right) = mask.nonzero().amin(0), mask.nonzero().amax(0) + 1
        patch = image[top:bottom, left:right]
        assert any(
            torch.equal(window[mask[top:bottom, left:right]], patch[mask[top:bottom, left:right]])
            for window in source.unfold(0, len(patch), 1).unfold(1, patch.shape[1], 1).flatten(0, 1)
        )


def test_one_to_three_patches_and_a_mask_of_all():
    torch.manual_seed(6)
    calls: list[torch.Tensor] = []

    def note(under: torch.Tensor, over: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        calls.append(masks)
        return overwrite(under, over, masks)

    images = heads(400)
    _, masks = PatchSampler().paste(images, images.flip(0), note)
    tried = torch.stack([call.any((1, 2)) for call in calls]).float().mean(1)
    assert tried[0] == 1 and ((tried[1:] - 0.5).abs() < 0.1).all()
    assert torch.equal(masks, calls[0] | calls[1] | calls[2])


def test_background_is_never_pasted_on_background():
    torch.manual_seed(7)
    images, sources = heads(100), heads(100, seed=1).roll(9, 3)
    sampler = PatchSampler()
    _, masks = sampler.paste(images, sources, overwrite)
    either = sampler.objects(images) | sampler.objects(sources)
    assert not (masks & ~either).any()
    assert (masks & ~sampler.objects(images)).any() and (masks & ~sampler.objects(sources)).any()


@pytest.mark.parametrize("settings", [{}, {"shift": True}, {"resize": True, "shift": True}])
def test_images_where_nothing_fits_stay_clean(settings):
    torch.manual_seed(8)
    images, black = heads(6), torch.full((6, 1, SIZE, SIZE), -1.0)
    for under, over in ((images, black), (black, black), (black, images)):
        result, masks = PatchSampler(**settings).paste(under, over, overwrite)
        nowhere = over is black or settings.get("shift", False)
        assert torch.equal(result, under) == nowhere and masks.any() != nowhere
    result, masks = PatchSampler(background=None, **settings).paste(black, images, overwrite)
    assert masks.any((1, 2)).all()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 31])
def test_small_images(size):
    torch.manual_seed(9)
    x, other = (2 * torch.rand(2, 5, 3, size, size) - 1).unbind(0)
    for settings in ({}, {"shift": True}, {"resize": True, "shift": True}):
        result, masks = PatchSampler(background=None, **settings).paste(x, other, overwrite)
        assert result.shape == x.shape
        assert torch.equal(result[~masks[:, None].expand_as(x)], x[~masks[:, None].expand_as(x)])
