"""How a generated slice is recorded: gain, contrast, uneven brightness, tint and noise of one scan."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scan:
    """What differs between two scans of one slice.

    Attributes
    ----------
    gain, gamma : float
        Brightness and contrast.
    bias : ndarray
        (5,) coefficients of the uneven brightness over x, y, x^2, xy and y^2 (image from -1 to 1).
    tint : ndarray
        (3,) gains of the channels of a colour image.
    noise : float
        Standard deviation of the noise in each of the two parts of the complex signal.
    """

    gain: float
    gamma: float
    bias: np.ndarray
    tint: np.ndarray
    noise: float


def draw_scan(rng: np.random.Generator) -> Scan:
    """Draw how one slice is recorded."""
    return Scan(
        gain=rng.uniform(0.82, 1.08),
        gamma=rng.uniform(0.85, 1.2),
        bias=rng.normal(0, 0.05, 5),
        tint=rng.uniform(0.8, 1.0, 3),
        noise=rng.uniform(0.01, 0.035),
    )


def record(scan: Scan, intensities: np.ndarray, channels: int, rng: np.random.Generator) -> np.ndarray:
    """Record a slice as an image; every pixel depends on its own intensity alone.

    Parameters
    ----------
    scan : Scan
        Settings of the scan.
    intensities : ndarray
        (size, size) noiseless slice, about [0, 1].
    channels : int
        1 or 3.
    rng : numpy.random.Generator
        Draws the noise, which is Rician as in magnitude images of magnetic resonance
        (Gudbjartsson and Patz 1995).

    Returns
    -------
    ndarray
        ``uint8``, (channels, size, size).
    """
    axis = np.linspace(-1, 1, len(intensities))
    x, y = axis[None, :], axis[:, None]
    field = 1 + sum(b * term for b, term in zip(scan.bias, (x, y, x * x, x * y, y * y), strict=True))
    signal = scan.gain * field * np.maximum(intensities, 0) ** scan.gamma
    tint = scan.tint[:, None, None] if channels == 3 else np.ones((1, 1, 1))
    real, imaginary = rng.standard_normal((2, channels, *intensities.shape)) * scan.noise
    return np.clip(255 * np.hypot(tint * signal + real, imaginary), 0, 255).round().astype(np.uint8)
