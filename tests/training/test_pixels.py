"""Training images from files and on the device are the same floats."""

import numpy as np
import pytest
import torch

from medad.training.pixels import ChosenPixels, MappedPixels, ResidentPixels, open_pixels

CPU = torch.device("cpu")


def write(path, kind, count):
    top = np.iinfo(kind).max
    pixels = np.random.default_rng(count).integers(0, top, (count, 1, 8, 8), dtype=kind, endpoint=True)
    pixels[0, 0, 0, :2] = 0, top
    np.save(path, pixels)
    return path


@pytest.mark.parametrize("kinds", [("uint8",), ("uint16",), ("uint8", "uint8"), ("uint8", "uint16")])
def test_resident_images_are_the_mapped_ones(tmp_path, kinds):
    files = [write(tmp_path / f"{i}.npy", kind, 5 + i) for i, kind in enumerate(kinds)]
    mapped, resident = MappedPixels(files, CPU), ResidentPixels(files, CPU)
    index = torch.randperm(len(mapped))
    assert len(mapped) == len(resident) == sum(range(5, 5 + len(kinds)))
    assert resident(index).is_contiguous(memory_format=torch.channels_last)
    assert resident(index).aminmax() == (-1, 1)
    exact = len(set(kinds)) == 1
    torch.testing.assert_close(resident(index), mapped(index), rtol=0, atol=0 if exact else 1e-6)


def test_a_gpu_is_asked_for_many_batches_at_once(tmp_path):
    files = [write(tmp_path / "a.npy", "uint8", 5)]
    assert ResidentPixels(files, CPU).batches_at_once(4) == 2**26 // (4 * 64)
    assert open_pixels(files, CPU).batches_at_once(4) == 1


@pytest.mark.parametrize("kind", [MappedPixels, ResidentPixels])
def test_some_images_are_counted_from_zero(tmp_path, kind):
    images = kind([write(tmp_path / "a.npy", "uint8", 5), write(tmp_path / "b.npy", "uint8", 4)], CPU)
    some = ChosenPixels(images, (1, 4, 6))
    assert len(some) == 3
    assert torch.equal(some(torch.tensor([2, 0])), images(torch.tensor([6, 1])))
    assert some.batches_at_once(4) == images.batches_at_once(4)
