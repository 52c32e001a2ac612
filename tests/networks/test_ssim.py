"""Structural similarity against torchmetrics and, over several scales, scipy's filters."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torchmetrics.functional.image import structural_similarity_index_measure

from medad.networks.ssim import FIVE_SCALES, ms_ssim, ssim_map


def pair(seed: int, size: int, channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(3, channels, size, size, generator=generator)
    return x, (x + 0.3 * torch.randn(x.shape, generator=generator)).clamp(0, 1)


@given(st.integers(0, 10**6), st.sampled_from([32, 64]), st.sampled_from([1, 3]), st.sampled_from([7, 11]))
def test_the_map_is_that_of_torchmetrics(seed, size, channels, window):
    x, y = pair(seed, size, channels)
    # torchmetrics derives its window from sigma: int(3.5 sigma + 0.5) to each side
    sigma = {7: 0.8, 11: 1.5}[window]
    _, whole = structural_similarity_index_measure(
        x, y, sigma=sigma, data_range=1.0, reduction="none", return_full_image=True
    )
    inner = whole[..., window // 2 : -(window // 2), window // 2 : -(window // 2)]
    found = ssim_map(x, y, window, sigma)
    assert found.shape == (3, channels, size - window + 1, size - window + 1)
    torch.testing.assert_close(found, inner, rtol=1e-4, atol=1e-4)


def test_the_data_range_scales():
    x, y = pair(0, 32)
    torch.testing.assert_close(ssim_map(255 * x, 255 * y, data_range=255.0), ssim_map(x, y), rtol=1e-4, atol=1e-5)


def mean_similarities(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the mean contrast and the mean similarity of two images (H, W)."""

    def blurred(z):
        return gaussian_filter(z, 1.5, truncate=3.5)[5:-5, 5:-5]

    mean_x, mean_y = blurred(x), blurred(y)
    covariance = blurred(x * y) - mean_x * mean_y
    variances = blurred(x * x) + blurred(y * y) - mean_x**2 - mean_y**2
    contrast = (2 * covariance + 0.03**2) / (variances + 0.03**2)
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    return contrast.mean(), (luminance * contrast).mean()


def test_several_scales_are_multiplied():
    x, y = pair(1, 192)
    for found, *images in zip(ms_ssim(x, y), x[:, 0].double().numpy(), y[:, 0].double().numpy(), strict=True):
        expected = 1.0
        for weight in FIVE_SCALES:
            contrast, similarity = mean_similarities(*images)
            expected *= (similarity if weight == FIVE_SCALES[-1] else contrast) ** weight
            images = [(z[::2, ::2] + z[1::2, ::2] + z[::2, 1::2] + z[1::2, 1::2]) / 4 for z in images]
        assert found.item() == pytest.approx(expected, rel=1e-4)


def test_equal_images_are_alike_and_too_small_ones_refused():
    x, _ = pair(2, 64)
    torch.testing.assert_close(ssim_map(x, x), torch.ones(3, 1, 54, 54))
    torch.testing.assert_close(ms_ssim(x, x, (0.5, 0.5), window=7), torch.ones(3))
    with pytest.raises(ValueError, match="too small"):
        ms_ssim(x, x)


def test_gradients_are_finite_where_nothing_is_alike():
    x = torch.rand(2, 1, 64, 64, requires_grad=True)
    (1 - ms_ssim(x, 1 - x.detach(), (0.5, 0.5), window=7)).mean().backward()
    assert x.grad.isfinite().all()


def test_flat_images_keep_their_digits():
    x, y = (0.9 + 0.01 * t for t in pair(3, 32))
    found = ssim_map(x, y).mean((1, 2, 3))
    for value, *images in zip(found, x[:, 0].double().numpy(), y[:, 0].double().numpy(), strict=True):
        assert value.item() == pytest.approx(mean_similarities(*images)[1], rel=1e-6)


def test_autocast_takes_no_digits():
    x, y = pair(4, 32)
    with torch.autocast("cpu", torch.bfloat16):
        found = ssim_map(x, y)
    assert found.dtype == torch.float32
    assert torch.equal(found, ssim_map(x, y))
