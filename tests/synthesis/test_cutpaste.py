"""CutPaste: where patches and scars lie, how large they are, and where their pixels come from."""

import math

import pytest
import torch

from medad.synthesis import cutpaste
from medad.synthesis.cutpaste import (
    CLASSES,
    cutpaste_classes,
    moved,
    paste_patch,
    paste_scar,
    patch_sides,
    random_starts,
)
from medad.synthesis.cutpaste_segments import make_cutpaste_segments

CPU = torch.device("cpu")


@pytest.fixture
def no_jitter(monkeypatch):
    monkeypatch.setattr(cutpaste, "jitter_colours", lambda x, *rest: x)


def numbered(n: int, size: int) -> torch.Tensor:
    """Return images whose every pixel is its number."""
    return torch.arange(size * size, dtype=torch.float32).view(1, 1, size, size).repeat(n, 1, 1, 1)


def box_of(mask: torch.Tensor) -> tuple[int, int, int, int]:
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


@pytest.mark.parametrize("size", [64, 224])
def test_patches_have_the_published_areas_and_aspects(size):
    torch.manual_seed(0)
    height, width = patch_sides(20_000, size, CPU).double()
    area, aspect = height * width / size**2, (height / width).log()
    slack = 2.5 / (height.minimum(width)).min()  # of rounding down
    assert 0.02 * (1 - slack) <= area.min() and area.max() <= 0.15
    assert abs(area.mean() - 0.085) < 0.006
    assert aspect.abs().max() < math.log(1 / 0.3) + slack
    assert abs(aspect.mean()) < 0.02 and abs(aspect.std() - 2 * math.log(1 / 0.3) / 12**0.5) < 0.03
    assert max(height.max(), width.max()) <= size


def test_a_patch_is_a_rectangle_of_the_image_at_another_place(no_jitter):
    torch.manual_seed(1)
    x = numbered(200, 32)
    starts = set()
    for found in paste_patch(x)[:, 0]:
        changed = found != x[0, 0]
        if not changed.any():
            continue  # cut where it is pasted
        top, bottom, left, right = box_of(changed)
        patch = found[top:bottom, left:right]
        first = int(patch[0, 0])
        row, column = divmod(first, 32)
        expected = x[0, 0, row : row + bottom - top, column : column + right - left]
        assert torch.equal(patch, expected)
        starts.add((top, left))
    assert len(starts) > 150


def test_starts_are_uniform_inside():
    torch.manual_seed(2)
    starts = random_starts(torch.full((2, 9000), 8), 10)
    for axis in starts:
        assert axis.bincount().tolist() == pytest.approx([3000] * 3, rel=0.07)


def test_scars_lie_inside_are_thin_and_are_turned(no_jitter):
    torch.manual_seed(3)
    x = numbered(300, 224)
    changed = (paste_scar(x) != x)[:, 0]
    areas = changed.sum((1, 2))
    assert areas.min() >= 10 and areas.max() <= 16.5 * 25.5 + 20
    assert abs(areas.float().mean() - 9 * 17.5) < 12
    at = torch.arange(224.0)
    angles = []
    for mask in changed:
        rows, columns = mask.nonzero().double().unbind(1)
        points = torch.stack([rows - rows.mean(), columns - columns.mean()])
        values, vectors = torch.linalg.eigh(points @ points.T)
        if values[1] > 6 * values[0]:  # much longer than wide
            angles.append(math.degrees(math.atan(vectors[1, 1] / vectors[0, 1])))
    angles = torch.tensor(angles)
    assert len(angles) > 80 and angles.abs().max() < 47 and abs(angles.mean()) < 5 and 20 < angles.std() < 32
    centres = torch.stack([(changed.any(2) * at).sum(1) / changed.any(2).sum(1)])
    assert centres.min() < 25 and centres.max() > 199


def test_the_pixels_of_a_scar_are_those_of_a_rectangle_of_the_image(no_jitter, monkeypatch):
    torch.manual_seed(4)
    monkeypatch.setattr(cutpaste, "SCAR_ANGLE", 0.0)
    x = numbered(100, 224)
    for found in paste_scar(x)[:, 0]:
        changed = found != x[0, 0]
        if changed.any():
            top, bottom, left, right = box_of(changed)
            row, column = divmod(int(found[top, left]), 224)
            expected = x[0, 0, row : row + bottom - top, column : column + right - left]
            assert torch.equal(found[top:bottom, left:right], expected)
            assert 10 <= bottom - top <= 25 and 2 <= right - left <= 16


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("paste", [paste_patch, paste_scar])
def test_a_part_changes_and_values_stay_in_range(paste, size, channels):
    torch.manual_seed(5)
    x = 2 * torch.rand(8, channels, size, size) - 1
    found = paste(x)
    assert found.shape == x.shape and found.dtype == x.dtype
    assert found.abs().max() <= 1
    changed = (found != x).any(1)
    assert (changed.sum((1, 2)) < 0.2 * size**2).all() and changed.any()
    torch.manual_seed(5)
    torch.testing.assert_close(2 * torch.rand(8, channels, size, size) - 1, x)
    assert torch.equal(paste(x), found)


@pytest.mark.parametrize("variant", CLASSES)
def test_classes(variant):
    torch.manual_seed(6)
    x = 2 * torch.rand(40, 1, 64, 64) - 1
    found = cutpaste_classes(x, variant)
    assert found.shape == (40, CLASSES[variant], 1, 64, 64)
    shares = (found[:, 1:] != found[:, :1]).float().mean((2, 3, 4))
    large = shares > 0.015  # scars are smaller, patches larger
    expected = {"normal": {1.0}, "scar": {0.0}, "3way": {0.5}, "union": None}[variant]
    assert expected is None or float(large.float().mean()) in expected
    if variant == "union":
        assert 0.2 < large.float().mean() < 0.8


def test_moved_pixels_end_at_the_border():
    x = numbered(2, 4)
    at = torch.arange(4)
    found = moved(x, (at - 1)[None, :, None], (at + 2)[None, None])
    assert found[1, 0].tolist() == [[2, 3, 3, 3], [2, 3, 3, 3], [6, 7, 7, 7], [10, 11, 11, 11]]


def test_the_papers_law_of_areas_end_to_end():
    torch.manual_seed(0)
    x = torch.zeros(4000, 1, 64, 64)
    made = make_cutpaste_segments(anywhere=True)(x, torch.ones_like(x))
    boxes = [box_of(found != 0) for found in made.images[:, 0]]
    height, width = torch.tensor([(bottom - top, right - left) for top, bottom, left, right in boxes]).double().T
    area, aspect = height * width / 64**2, height / width
    assert area.max() <= 0.15 and 0.075 < area.mean() < 0.085 and area.min() > 0.015  # sides are rounded down
    assert 0.45 < (aspect < 1).double().mean() < 0.55 and aspect.min() > 0.25 and aspect.max() < 3.8
    assert 2.05 < aspect[aspect > 1].mean() < 2.25  # uniform on either side of 1
    starts = torch.tensor([(top, left) for top, _, left, _ in boxes])
    assert starts.min() == 0 and starts.max() > 45
