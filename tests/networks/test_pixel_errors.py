"""The four errors against torch's losses, torchmetrics and a few lines of plain torch."""

import pytest
import torch
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from medad.networks.pixel_errors import PIXEL_ERRORS, PerceptualError


def pair(channels: int = 1, size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(channels)
    x = 2 * torch.rand(3, channels, size, size, generator=generator) - 1
    return x, x + 0.4 * torch.randn(x.shape, generator=generator)


def perceptual() -> PerceptualError:
    torch.manual_seed(0)
    error = PerceptualError()
    for values in error.vgg.state_dict().values():
        fan_in = values[0].numel()
        values.copy_(torch.randn(values.shape) * ((2 / fan_in) ** 0.5 if values.ndim > 1 else 0.1))
    return error


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "reference"), [("l2", F.mse_loss), ("l1", F.l1_loss)])
def test_squared_and_absolute_errors_are_torchs(name, reference, channels):
    (x, y), error = pair(channels), PIXEL_ERRORS[name]()
    torch.testing.assert_close(error.loss(x, y), reference(y, x))
    torch.testing.assert_close(error.map(x, y), reference(y, x, reduction="none").sum(1) / channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_structural_error_is_one_minus_ssim_of_clamped_images(channels):
    (x, y), error = pair(channels), PIXEL_ERRORS["ssim"]()
    a, b = (((t + 1) / 2).clip(0, 1) for t in (x, y))
    _, whole = structural_similarity_index_measure(
        a, b, sigma=1.5, data_range=1.0, reduction="none", return_full_image=True
    )
    inner = 1 - whole[..., 5:-5, 5:-5]
    torch.testing.assert_close(error.loss(x, y), inner.mean(), rtol=1e-4, atol=1e-5)
    bilinear = F.interpolate(inner.mean(1, keepdim=True), size=64, mode="bilinear", align_corners=False)[:, 0]
    found = error.map(x, y)
    assert found.shape == (3, 64, 64)
    torch.testing.assert_close(found, bilinear, rtol=1e-4, atol=1e-4)


def test_structural_error_has_no_gradient_beyond_the_range():
    x, y = pair()
    y.requires_grad_()
    PIXEL_ERRORS["ssim"]().loss(x, y).backward()
    beyond = y.detach().abs() > 1
    assert beyond.any()
    assert (y.grad[beyond] == 0).all()
    assert (y.grad[~beyond] != 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_perceptual_error_is_relative_to_the_features_of_each_image(channels):
    (x, y), error = pair(channels, 32), perceptual()

    def features(t):
        t = (0.5 * t + 0.5).repeat(1, 3 // channels, 1, 1)
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        return error.vgg(((t.movedim(1, -1) - mean) / deviation).movedim(-1, 1))

    relative = torch.stack([(a - b).abs() / a.abs().mean() for a, b in zip(features(x), features(y), strict=True)])
    torch.testing.assert_close(error.loss(x, y), relative.mean())
    bilinear = F.interpolate(relative.mean(1, keepdim=True), size=32, mode="bilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(error.map(x, y), bilinear)


def test_perceptual_gradients_reach_the_reconstruction_only():
    (x, y), error = pair(1, 32), perceptual()
    x.requires_grad_()
    y.requires_grad_()
    error.loss(x, y).backward()
    assert x.grad is None
    assert (y.grad != 0).any()


@pytest.mark.parametrize("name", PIXEL_ERRORS)
def test_equal_images_have_no_error(name):
    x, _ = pair(1, 32)
    error = perceptual() if name == "perceptual" else PIXEL_ERRORS[name]()
    torch.testing.assert_close(error.map(x, x.clone()), torch.zeros(3, 32, 32))


def test_perceptual_error_is_finite_where_there_are_no_features():
    x, y = pair(1, 32)
    assert PerceptualError().map(x, y).isfinite().all()
