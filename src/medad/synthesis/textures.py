"""Textures made from nothing, for syntheses that paste foreign ones.

Every pattern is (n, S, S) in [0, 1], from torch's default generator on the device.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from medad.synthesis.perlin import perlin_noise

MOST_OCTAVES = 5
POINTS, MOST_POINTS = 4, 64  # of Worley's noise
LEAVES = 150


def procedural_textures(n: int, channels: int, size: int, device: torch.device) -> Tensor:
    """Return n textures, (n, C, S, S) in [0, 1]: each a pattern of a random kind between two random colours."""
    kind = torch.randint(len(PATTERNS), (n,), device=device)
    found = torch.empty(n, 1, size, size, device=device)
    for number, pattern in enumerate(PATTERNS):
        here = (kind == number).nonzero()[:, 0]
        if len(here):
            found[here, 0] = pattern(len(here), size, device)
    low, high = torch.rand(2, n, channels, 1, 1, device=device)
    return torch.lerp(low, high, found)


def power_law_noise(n: int, size: int, device: torch.device) -> Tensor:
    """Return Gaussian noise whose power falls with the frequency f as f^-b, b uniform in [0.5, 3]."""
    frequency = _frequencies(size, device).norm(dim=0).clamp(min=1 / size)
    power = 0.5 + 2.5 * torch.rand(n, 1, 1, device=device)
    return _filtered(frequency ** (-power / 2))


def fractal_perlin(n: int, size: int, device: torch.device) -> Tensor:
    """Return one to five octaves of Perlin noise, each of half the height of the one before it."""
    octaves = torch.randint(1, MOST_OCTAVES + 1, (n, 1, 1), device=device)
    parts = [
        perlin_noise(torch.full((2, n), 2**k, device=device), size) * (k <= octaves) / 2**k
        for k in range(1, MOST_OCTAVES + 1)
    ]
    return _stretched(torch.stack(parts).sum(0))


def worley(n: int, size: int, device: torch.device) -> Tensor:
    """Return the distance of every pixel from the nearest of 4 to 64 random points."""
    points = torch.rand(n, MOST_POINTS, 2, device=device)
    used = torch.arange(MOST_POINTS, device=device) < torch.randint(POINTS, MOST_POINTS + 1, (n, 1), device=device)
    points = torch.where(used[..., None], points, torch.inf)
    at = (torch.arange(size, device=device) + 0.5) / size
    nearest = torch.full((n, size, size), torch.inf, device=device)
    for point in points.unbind(1):
        down, right = ((at - point[:, k, None]).square() for k in range(2))
        nearest = torch.minimum(nearest, down[:, :, None] + right[:, None, :])
    return _stretched(nearest.sqrt())


def gabor_noise(n: int, size: int, device: torch.device) -> Tensor:
    """Return noise of one direction and of about one frequency, which is between 4 and S / 4 waves along a side."""
    angle = math.pi * torch.rand(n, device=device)
    waves = 4 * (size / 16) ** torch.rand(n, device=device)
    middle = torch.stack([angle.cos(), angle.sin()]) * waves / size
    distance = (_frequencies(size, device)[:, None] - middle[..., None, None]).norm(dim=0)
    return _filtered((-(distance / (0.25 * waves[:, None, None] / size)).square()).exp())


def dead_leaves(n: int, size: int, device: torch.device) -> Tensor:
    """Return disks of one grey each that hide each other, small ones the most frequent."""
    radius = 0.02 * (1 - 0.99 * torch.rand(n, LEAVES, device=device)) ** -0.5  # density r^-3, from 0.02 to 0.2
    centre, grey = torch.rand(2, n, LEAVES, device=device), torch.rand(n, LEAVES, device=device)
    at = (torch.arange(size, device=device) + 0.5) / size
    found = torch.rand(n, 1, 1, device=device).expand(n, size, size)
    for k in range(LEAVES):
        down, right = ((at - centre[axis, :, k, None]).square() for axis in range(2))
        inside = down[:, :, None] + right[:, None, :] < radius[:, k, None, None].square()
        found = torch.where(inside, grey[:, k, None, None], found)
    return found


def stripes(n: int, size: int, device: torch.device) -> Tensor:
    """Return black and white stripes or, as often, checks, in any direction, 2 to S / 4 a side."""
    angle = 2 * math.pi * torch.rand(n, 1, 1, device=device)
    count = 2 * (size / 8) ** torch.rand(n, 1, 1, device=device)
    at = (torch.arange(size, device=device) + 0.5) / size
    down, right = at[:, None], at[None, :]
    along, across = angle.cos() * down + angle.sin() * right, angle.cos() * right - angle.sin() * down
    checked = torch.rand(n, 1, 1, device=device) < 0.5
    return ((along * count).floor() + (across * count).floor() * checked) % 2


PATTERNS: tuple[Callable[[int, int, torch.device], Tensor], ...] = (
    power_law_noise,
    fractal_perlin,
    worley,
    gabor_noise,
    dead_leaves,
    stripes,
)


def _frequencies(size: int, device: torch.device) -> Tensor:
    """Return the frequencies, waves a pixel, of a real Fourier transform: (2, S, S / 2 + 1)."""
    down, right = torch.fft.fftfreq(size, device=device), torch.fft.rfftfreq(size, device=device)
    return torch.stack(torch.meshgrid(down, right, indexing="ij"))


def _filtered(gain: Tensor) -> Tensor:
    """Return white noise whose amplitudes are multiplied by `gain`, (n, S, S / 2 + 1)."""
    n, size = gain.shape[:2]
    spectrum = torch.fft.rfft2(torch.randn(n, size, size, device=gain.device)) * gain
    return _stretched(torch.fft.irfft2(spectrum, s=(size, size)))


def _stretched(x: Tensor) -> Tensor:
    """Return (n, S, S) with the lowest value of each at 0 and the highest at 1."""
    low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
    return (x - low) / (high - low).clamp(min=1e-12)
