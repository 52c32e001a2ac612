"""Structural similarity, for losses and anomaly maps (Wang et al., 2004 and 2003)."""

import torch
from torch import Tensor
from torch.nn import functional as F

K1, K2 = 0.01, 0.03
FIVE_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_map(x: Tensor, y: Tensor, window: int = 11, sigma: float = 1.5, data_range: float = 1.0) -> Tensor:
    """Return the structural similarity of `x` and `y` around every pixel whose window lies inside the image.

    Parameters
    ----------
    x, y : Tensor
        (n, C, H, W), values in [0, `data_range`].
    window, sigma : int, float
        Side and standard deviation of the Gaussian window, pixels.
    data_range : float
        Of the images.

    Returns
    -------
    Tensor
        (n, C, H - window + 1, W - window + 1), 1 where both are equal, fp32.
    """
    luminance, contrast = _parts(x, y, window, sigma, data_range)
    return (luminance * contrast).float()


def ms_ssim(
    x: Tensor,
    y: Tensor,
    weights: tuple[float, ...] = FIVE_SCALES,
    window: int = 11,
    sigma: float = 1.5,
    data_range: float = 1.0,
) -> Tensor:
    """Return the multi-scale structural similarity of each pair of images, (n,).

    Each scale is half as large as the one before it (2 x 2 means); the mean contrast of every scale, that of the
    last with the luminance, to the power of its weight, multiplied. Negative means count as zero.

    Parameters
    ----------
    x, y, window, sigma, data_range
        See :func:`ssim_map`.
    weights : tuple of float
        One a scale, the finest first.

    Raises
    ------
    ValueError
        If the images are too small for the window at the last scale.
    """
    if min(x.shape[-2:]) >> (len(weights) - 1) < window:
        raise ValueError(f"images of {tuple(x.shape[-2:])} are too small for {len(weights)} scales of {window} pixels")
    product = torch.ones((), device=x.device)
    x, y = x.float(), y.float()
    for i, weight in enumerate(weights):
        luminance, contrast = _parts(x, y, window, sigma, data_range)
        last = i == len(weights) - 1
        value = (luminance * contrast if last else contrast).mean((2, 3)).relu().float()
        product = product * value.clamp(min=torch.finfo(value.dtype).tiny) ** weight  # a root's slope is infinite at 0
        if not last:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    return product.mean(1)


def _parts(x: Tensor, y: Tensor, window: int, sigma: float, data_range: float) -> tuple[Tensor, Tensor]:
    """Return luminance and contrast-structure, (n, C, h, w) each.

    They are computed in fp64: variances are small differences of large numbers, of which fp32 leaves four digits
    where an image is flat, and autocast or TF32 none.
    """
    x, y = x.double(), y.double()
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y, xx, yy, xy = (_blurred(t, window, sigma) for t in (x, y, x * x, y * y, x * y))
    both = mean_x * mean_y
    squares = mean_x.square() + mean_y.square()
    covariance, variances = xy - both, xx + yy - squares
    return (2 * both + c1) / (squares + c1), (2 * covariance + c2) / (variances + c2)


def _blurred(x: Tensor, window: int, sigma: float) -> Tensor:
    """Return Gaussian means, without padding; as matrix products, which in fp64 are faster than convolutions."""
    rows, columns = (_means(size, window, sigma, x) for size in x.shape[-2:])
    return rows @ x @ columns.T


def _means(size: int, window: int, sigma: float, like: Tensor) -> Tensor:
    """Return the matrix (size - window + 1, size) that takes Gaussian means of a column of `size` values."""
    reach = (window - 1) / 2
    at = torch.arange(size, dtype=like.dtype, device=like.device)
    distance = at - at[: size - window + 1, None] - reach
    weights = (-distance.square() / (2 * sigma**2)).exp() * (distance.abs() <= reach)
    return weights / weights.sum(1, keepdim=True)
