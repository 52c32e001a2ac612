"""Small generated image files, and the real images."""

import os
from pathlib import Path

import pytest
from image_files import SaveImage, random_image


@pytest.fixture
def save(tmp_path: Path) -> SaveImage:
    """save(name, mode="L", size=(w, h), seed=0): write a random image below tmp_path."""

    def write(name: str, mode: str = "L", size: tuple[int, int] = (9, 9), seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        random_image(mode, size, seed).save(path)
        return path

    return write


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("MEDAD_DATA")
    if not folder:
        pytest.skip("MEDAD_DATA does not name the folder of the real images")
    return Path(folder)
