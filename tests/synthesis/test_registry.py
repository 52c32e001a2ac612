"""What holds for every synthesis: shapes, ranges, labels, seeds, and bad images."""

import pytest
import torch
from torch.nn import functional as F

from medad.synthesis.contract import Made
from medad.synthesis.registry import SYNTHESES, SynthesisInfo, make_synthesis

each = pytest.mark.parametrize("info", SYNTHESES.values(), ids=SYNTHESES)


def textured(count: int, channels: int = 1, size: int = 64) -> torch.Tensor:
    """Return smooth images of whole grey levels, (n, C, S, S) in [-1, 1], channels last as trainings have them."""
    field = F.avg_pool2d(torch.rand(count, channels, size + 4, size + 4), 5, stride=1)
    grey = (255 * (field - field.amin()) / (field.amax() - field.amin())).round()
    return (grey / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def make(info: SynthesisInfo, images: torch.Tensor, label: str | None = None, seed: int = 0) -> Made:
    """Make anomalies; the sources are the next image of the batch, or the image itself."""
    torch.manual_seed(seed)
    return make_synthesis(info.name, label)(images, images.roll(1, 0) if info.foreign else images)


@each
@pytest.mark.parametrize("channels", [1, 3])
def test_every_label(info, channels):
    torch.manual_seed(1)
    images = textured(12, channels)
    before = images.clone()
    for label in info.labels:
        made = make(info, images, label)
        assert torch.equal(images, before)
        assert made.images.shape == images.shape and made.images.dtype == images.dtype
        assert images.min() <= made.images.min() and made.images.max() <= images.max()
        assert made.labels.shape == (12, 64, 64) and made.labels.dtype == torch.float32
        assert made.labels.min() == 0 and made.labels.max() <= (255 if label == "intensity" else 1)
        assert (made.labels.amax((1, 2)) > 0).sum() >= 3


@each
def test_labels_are_where_something_changed(info):
    torch.manual_seed(2)
    images = textured(40)
    made = make(info, images, "binary" if "binary" in info.labels else None)
    difference = (made.images - images).abs().amax(1)
    near = F.max_pool2d((difference > 0).float(), 5, stride=1, padding=2) > 0
    assert not (made.labels[~near] > 0).any()
    strong = difference > 0.1
    assert (made.labels[strong] > 0).float().mean() > 0.9  # medians round the corners
    clean = made.labels.amax((1, 2)) == 0
    assert not difference[clean].any()
    assert clean.float().mean() < (0.7 if info.name in ("asr", "perlin") else 0.4)  # these leave half as they are


@each
def test_a_seed_gives_the_same_and_another_one_does_not(info):
    torch.manual_seed(3)
    images = textured(6)
    first, second, other = (make(info, images, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, second.images) and torch.equal(first.labels, second.labels)
    assert not torch.equal(first.images, other.images)


@each
def test_an_image_as_its_own_source(info):
    """With nothing to paste that differs, only a patch that moves changes anything."""
    torch.manual_seed(4)
    images = textured(8)
    made = make_synthesis(info.name)(images, images)
    if info.name in ("fpi", "asr"):
        torch.testing.assert_close(made.images, images)
    if info.name == "fpi":
        assert not made.labels.any()


@each
@pytest.mark.parametrize("value", [-1.0, 0.2, 1.0])
def test_constant_images(info, value):
    x = torch.full((4, 1, 64, 64), value)
    made = make(info, x)
    if info.name == "perlin":  # whose textures are not of images
        assert torch.equal(made.images[:, 0] != x[:, 0], made.labels > 0)
        return
    torch.testing.assert_close(made.images, x)
    if info.name != "asr":  # whose labels are the squares, changed or not
        assert not made.labels.any()


@pytest.mark.parametrize("name", ["fpi", "pii", "nsa", "cutpaste"])
@pytest.mark.parametrize("size", [1, 2, 5, 8, 33])
def test_images_smaller_than_the_largest_patch(name, size):
    torch.manual_seed(5)
    images, sources = (2 * torch.rand(2, 3, 1, size, size) - 1).unbind()
    made = make_synthesis(name, background=None)(images, sources)
    assert made.images.isfinite().all() and made.labels.shape == (3, size, size)


@pytest.mark.parametrize("name", ["fpi", "pii", "nsa", "cutpaste"])
def test_images_that_are_all_background_stay_clean_unless_there_is_none(name):
    torch.manual_seed(6)
    dark, sources = 0.1 * torch.rand(4, 1, 64, 64) - 1, textured(4)
    assert make_synthesis(name)(sources, dark).labels.any((1, 2)).sum() == 0
    made = make_synthesis(name)(dark, dark.roll(1, 0))
    assert torch.equal(made.images, dark) and not made.labels.any()
    assert make_synthesis(name, background=None)(dark, dark.roll(1, 0)).labels.any()


@each
def test_one_image_at_a_time(info):
    torch.manual_seed(7)
    images, sources = textured(2)[:, None]
    made = make_synthesis(info.name)(images, sources)
    assert made.images.shape == (1, 1, 64, 64) and made.labels.shape == (1, 64, 64)


def test_names_are_known_without_torch(tmp_path):
    import subprocess
    import sys

    code = "import sys; from medad.synthesis.registry import SYNTHESES; print(len(SYNTHESES), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(SYNTHESES)), "False"]
