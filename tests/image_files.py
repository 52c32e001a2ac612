"""Random images in Pillow's modes, for tests that read files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SaveImage = Callable[..., Path]  # the fixture "save": save(name, mode="L", size=(9, 9), seed=0)


def random_image(mode: str, size: tuple[int, int], seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    shape = size[::-1]
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, shape, dtype=np.uint16))
    if mode == "I":
        return Image.fromarray(rng.integers(-(10**6), 10**6, shape, dtype=np.int32))
    if mode == "F":
        return Image.fromarray(rng.normal(size=shape).astype(np.float32))
    colours = Image.fromarray(rng.integers(0, 256, (*shape, 4), dtype=np.uint8))
    return colours.convert("RGB").quantize(64) if mode == "P" else colours.convert(mode)
