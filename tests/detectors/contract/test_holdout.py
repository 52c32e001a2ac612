"""Images held out for the threshold: whole patients, enough left to learn from."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import make_images

from medad.detectors.contract.holdout import split_holdout
from medad.training.pixels import share_pixels


@pytest.mark.filterwarnings("error")
def test_unknown_patients_are_units_of_their_own() -> None:
    images = replace(make_images(20, size=8), patients=("p1", "p1") + ("",) * 18)
    train, held_out = split_holdout(images, 0.3, seed=0)
    assert held_out is not None and 6 <= len(held_out) <= 7
    assert sorted(train.ids + held_out.ids) == sorted(images.ids)


@pytest.mark.filterwarnings("error")
def test_no_share_is_no_matter_of_warning() -> None:
    images = make_images(2, size=8)
    assert split_holdout(images, 0.0, seed=0) == (images, None)


@pytest.mark.parametrize(("count", "patients"), [(2, None), (20, ("p",) * 20)])
def test_too_few_to_hold_any_out(count: int, patients: tuple[str, ...] | None) -> None:
    images = replace(make_images(count, size=8), patients=patients)
    with pytest.warns(UserWarning, match="too few normal images or patients to hold some out: no threshold"):
        assert split_holdout(images, 0.3, seed=0) == (images, None)


def test_what_remains_is_copied_into_a_file_once(tmp_path) -> None:
    images, file = make_images(2000, size=8), tmp_path / "normal.npy"
    train, held_out = split_holdout(images, 0.3, seed=0, into=file)
    in_memory, _ = split_holdout(images, 0.3, seed=0)
    assert held_out is not None and isinstance(train.pixels, np.memmap)
    assert np.array_equal(train.pixels, in_memory.pixels)
    assert train.fingerprint == in_memory.fingerprint
    assert share_pixels(train, tmp_path / "other.npy") == file
