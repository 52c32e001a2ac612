"""What is background in images of heads."""

import numpy as np

from medad.experiments.reproduce.pitfalls.background import DARK, head, without_background


def test_the_head_is_the_largest_region_with_its_holes(heads):
    (image,) = heads(1)
    inside = image > 0
    image[60:70, 60:70] = 0.02  # a dark ventricle
    noisy = np.where(inside, image, 0.9 * DARK)
    noisy[2:6, 2:6] = 0.8  # a letter in the corner
    np.testing.assert_array_equal(head(noisy), inside)
    (cleaned,), sound = without_background(noisy[None].copy())
    np.testing.assert_array_equal(cleaned, np.where(inside, image, 0))
    assert sound.all()


def test_images_without_a_head_or_without_a_background_are_not_sound(heads):
    bright, black = np.full((2, 64, 64), [[[0.5]], [[0.0]]])
    assert without_background(np.stack([heads(1, 64)[0], bright, black]))[1].tolist() == [True, False, False]
