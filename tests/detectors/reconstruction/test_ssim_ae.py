"""SSIM-AE: patches in training, overlapping ones in scoring, against torchmetrics and plain loops."""

import numpy as np
import pytest
import torch
from helpers import make_images, samples_of
from torchmetrics.functional.image import structural_similarity_index_measure

from medad.detectors.reconstruction.ssim_ae import patch_side, patch_starts, random_patches
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.pixels import to_unit

CPU = torch.device("cpu")


def untrained(**options):
    torch.manual_seed(0)
    detector = make_detector("ssim_ae", "tiny", device="cpu", jobs=1, **options)
    detector.untrained()
    return detector, detector.networks_["ssim_ae"]


def similarity(x, y):
    """Return the structural similarity of images (n, C, S, S) in [0, 1] around every pixel with a whole window."""
    _, whole = structural_similarity_index_measure(
        x, y, sigma=1.5, data_range=1.0, reduction="none", return_full_image=True
    )
    return whole[..., 5:-5, 5:-5]


def test_recipe():
    o = make_detector("ssim_ae", "paper", device="cpu").options
    assert (o.epochs, o.batch_size, o.lr, o.weight_decay) == (200, 128, 2e-4, 1e-5)
    assert (o.width, o.latent, o.beta1, o.beta2) == (32, 100, 0.9, 0.999)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_loss_is_one_minus_ssim(channels):
    detector, network = untrained(channels=channels)
    x = to_unit(make_images(3, 64, channels).pixels, CPU)
    (rows,) = samples_of(detector, detector.options, x)
    torch.testing.assert_close(rows, (x + 1) / 2)
    expected = 1 - similarity(rows, network(rows)).mean()
    torch.testing.assert_close(detector.objective(detector.options, network)(rows), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(64, 32), (96, 20), (160, 24)])
@torch.no_grad()
def test_the_map_is_the_mean_over_the_patches_of_a_pixel(size, stride):
    detector, network = untrained(size=size, stride=stride)
    images = make_images(2, size)
    x = (to_unit(images.pixels, CPU) + 1) / 2
    side = patch_side(size)
    found = [[[] for _ in range(size)] for _ in range(size)]
    for top in patch_starts(size, side, stride):
        for left in patch_starts(size, side, stride):
            patch = x[:, :, top : top + side, left : left + side]
            inner = 1 - similarity(patch, network(patch))[:, 0].numpy()
            error = np.pad(inner, ((0, 0), (5, 5), (5, 5)), mode="edge")
            for i in range(side):
                for j in range(side):
                    found[top + i][left + j].append(error[:, i, j])
    expected = np.array([[np.mean(values, axis=0) for values in row] for row in found]).transpose(2, 0, 1)
    (prediction,) = detector.predict(images)
    np.testing.assert_allclose(prediction.maps["anomaly_map"], expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(prediction.scores["pred_score"], expected.mean((1, 2)), rtol=1e-3)


@pytest.mark.parametrize(("size", "side"), [(32, 32), (64, 64), (96, 64), (128, 128), (256, 128)])
def test_patches_fit(size, side):
    assert patch_side(size) == side
    for stride in (1, 30, side):
        starts = patch_starts(size, side, stride)
        assert starts[0] == 0
        assert starts[-1] == size - side
        assert all(0 < b - a <= stride for a, b in zip(starts, starts[1:], strict=False))
    assert patch_starts(256, 128, 32) == [0, 32, 64, 96, 128]


def test_random_patches_are_pieces_of_their_own_images():
    torch.manual_seed(0)
    grid = torch.arange(20.0)[:, None] * 20 + torch.arange(20.0)
    x = grid + 1000 * torch.arange(300.0)[:, None, None, None] + torch.tensor([0.0, 0.5])[:, None, None]
    patches = random_patches(x, 16)
    assert patches.shape == (300, 2, 16, 16)
    corner = patches[:, :1, :1, :1]
    pattern = grid[:16, :16] + torch.tensor([0.0, 0.5])[:, None, None]
    assert torch.equal(patches - corner, pattern.expand(300, -1, -1, -1))
    at = corner.flatten() - 1000 * torch.arange(300.0)
    assert set(at.tolist()) == {20.0 * i + j for i in range(5) for j in range(5)}


def test_larger_images_train_on_patches():
    detector = make_detector("ssim_ae", "tiny", device="cpu", jobs=1, size=160).fit(make_images(4, 160))
    (rows,) = samples_of(detector, detector.options, torch.zeros(3, 1, 160, 160))
    assert rows.shape == (3, 1, 128, 128)
    assert detector.networks_["ssim_ae"](rows).shape == rows.shape


@pytest.mark.parametrize("stride", [0, 65])
def test_strides_that_leave_gaps_are_refused(stride):
    with pytest.raises(UserError, match=f"stride={stride}: choose a number from 1 to 64"):
        make_detector("ssim_ae", device="cpu", stride=stride)


def test_the_stride_changes_no_weight():
    one, other = (make_detector("ssim_ae", device="cpu", stride=stride).options.of_training() for stride in (16, 32))
    assert one == other
