"""Generated heads."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter


def make_heads(count=6, side=128, seed=0):
    """Return smooth foregrounds of middle intensities on a background of 0."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    inside = (rows / 0.42) ** 2 + (columns / 0.36) ** 2 < 1
    field = np.stack([gaussian_filter(rng.normal(size=(side, side)), 2) for _ in range(count)])
    field = 0.4 + 0.12 * field / field.std()
    return np.where(inside, field.clip(0.15, 0.95), 0.0)


@pytest.fixture
def heads():
    return make_heads


@pytest.fixture
def folder(tmp_path):
    """A plain folder of 15 heads whose background is nearly 0; the last 6 are those for testing."""
    noise = np.random.default_rng(1).uniform(0, 0.05, (15, 64, 64))
    for i, image in enumerate(np.maximum(make_heads(15, 64), noise)):
        (tmp_path / "brains").mkdir(exist_ok=True)
        Image.fromarray((255 * image).astype(np.uint8)).save(tmp_path / "brains" / f"{i:02}.png")
    return tmp_path / "brains"
