"""Where patches of teachers and places of students lie."""

import pytest
import torch

from medad.detectors.features.student_patches import ZOOM, grid_of_places, places_of, random_patches, zooms
from medad.networks.patch_network import LAYERS, PatchNetwork, padded


def ramp(count, size):
    """Return images whose values say where one is, in the columns of the first, the rows of the second channel."""
    at = (torch.arange(size) + 0.5) / size * 2 - 1
    return torch.stack([at.expand(size, size), at[:, None].expand(size, size)]).expand(count, -1, -1, -1)


@pytest.mark.parametrize("patch", LAYERS)
@pytest.mark.parametrize("size", [64, 128, 256])
def test_patches_are_squares_of_the_images_zoomed_as_said(patch, size):
    low, high = zooms(size, patch)
    (found,) = random_patches(ramp(200, size), patch)
    steps = found.diff(dim=3)[:, 0], found.diff(dim=2)[:, 1]
    side = 2 / torch.stack([part.amax((1, 2)) for part in steps])  # of the zoomed image, in pixels of the patch
    inner = (found.abs() < 1 - 2 / size).all(3).all(2).all(1)  # beyond the outermost pixels' centres nothing is known
    assert inner.sum() > 20
    assert (side[:, inner] > low * 0.99).all() and (side[:, inner] < high * 1.01).all()
    torch.testing.assert_close(side[0, inner], side[1, inner], rtol=1e-3, atol=0)
    assert found.min() >= -1 and found.max() <= 1


def test_zooms_are_the_paper_s_at_its_size_but_never_far_from_the_image_s_own():
    assert zooms(256, 17) == (ZOOM[0] * 17, ZOOM[1] * 17)
    assert zooms(128, 65) == (128, 512)
    assert zooms(64, 65)[0] == 65
    assert all(max(low, size) <= max(high, size) for size in (64, 256) for low, high in [zooms(size, 33)])


def test_what_is_alike_is_moved_a_little_and_changed_a_little():
    torch.manual_seed(0)
    x = ramp(50, 64)
    anchor, alike = random_patches(x, 17, alike=True)
    assert anchor.shape == alike.shape == (50, 2, 17, 17)
    assert (anchor != alike).any(3).any(2).any(1).all()
    assert (anchor - alike).abs().mean((1, 2, 3)).max() < 0.4
    assert alike.min() >= -1 and alike.max() <= 1


@pytest.mark.parametrize("patch", LAYERS)
def test_grids_of_places_are_parts_of_the_whole_map_and_reach_every_pixel_alike(patch):
    torch.manual_seed(patch)
    net, size, places = PatchNetwork(patch, 2, 2), 32, 4
    with torch.no_grad():
        whole = net(padded(ramp(1, size), patch))[0]
        x, spacing = places_of(net, ramp(1000, size), places)
        found = net(x[:20], spacing)
    assert spacing == net.spacing and found.shape[2:] == (places, places)
    seen = torch.zeros(size, size)
    for i, corner in enumerate(x[:, :, patch // 2, patch // 2]):
        column, row = (round((value.item() + 1) / 2 * size - 0.5) for value in corner)
        rows, columns = (slice(start, start + spacing * places, spacing) for start in (row, column))
        seen[rows, columns] += 1
        if i < len(found):
            torch.testing.assert_close(found[i], whole[:, rows, columns], rtol=0, atol=1e-5)
    assert seen.min() > 0
    assert seen.sum() == 1000 * places**2


def test_grids_fill_the_image_side_by_side():
    for size in (48, 64, 80, 96, 128, 320):
        for spacing in (1, 4, 8):
            count = grid_of_places(size, 32, spacing)
            assert count <= 32 and size % (spacing * count) == 0


def test_without_places_the_whole_image_is_seen():
    net = PatchNetwork(17, 1, 2)
    x, spacing = places_of(net, torch.rand(2, 1, 32, 32), 0)
    assert spacing == 1 and net(x).shape[2:] == (32, 32)
