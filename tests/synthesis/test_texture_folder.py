"""Textures from a folder: read as other images are, or refused in one line."""

import numpy as np
import pytest
import torch
from PIL import Image

from medad.errors import UserError
from medad.synthesis.texture_folder import folder_textures, read_textures

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    for grey in (0, 100, 255):
        (tmp_path / "below").mkdir(exist_ok=True)
        Image.fromarray(np.full((40, 60), grey, np.uint8)).save(tmp_path / "below" / f"{grey}.png")
    return str(tmp_path)


@pytest.mark.parametrize("channels", [1, 3])
def test_textures_are_its_images(folder, channels):
    torch.manual_seed(0)
    found = folder_textures(folder, 50, channels, 32, CPU)
    assert found.shape == (50, channels, 32, 32) and found.dtype == torch.float32
    torch.testing.assert_close(found.unique(), torch.tensor([0, 100, 255]) / 255)
    torch.manual_seed(0)
    assert torch.equal(folder_textures(folder, 50, channels, 32, CPU), found)


def test_they_are_read_once(folder):
    assert read_textures(folder, 32, 1) is read_textures(folder, 32, 1)


def test_no_folder_an_empty_one_and_what_is_no_image_are_refused(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    for path, message in (("nowhere", "nowhere"), ("empty", "no files found")):
        with pytest.raises(UserError, match=message) as raised:
            read_textures(str(tmp_path / path), 32, 1)
        assert "\n" not in str(raised.value)
    (tmp_path / "below" / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="textures: .*broken.png"):
        read_textures(folder, 64, 1)
