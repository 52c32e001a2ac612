"""Image sets: what tells one from another."""

from dataclasses import replace

from helpers import make_images


def test_the_fingerprint_tells_ids_and_pixels_apart() -> None:
    images = make_images(3, size=8)
    other = images.pixels.copy()
    other[2, 0, 7, 7] ^= 1
    sets = [images, replace(images, ids=("a", "b", "c")), replace(images, pixels=other), images.subset([0, 1])]
    assert len({part.fingerprint for part in sets}) == 4
    assert images.subset([0, 1, 2]).fingerprint == images.fingerprint


def test_a_name_that_is_not_utf_8_has_a_fingerprint() -> None:
    images = make_images(1, size=8)
    first, second = (replace(images, ids=(f"{byte}.png",)) for byte in ("\udcff", "\udcfe"))
    assert first.fingerprint != second.fingerprint
