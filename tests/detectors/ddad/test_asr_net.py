"""ASR-Net's size and what it gives."""

import pytest
import torch

from medad.detectors.ddad.asr_net import ASRNet


@pytest.mark.parametrize(("inputs", "count"), [(2, 152_834), (1, 151_682)])
def test_parameter_counts(inputs, count):
    assert sum(p.numel() for p in ASRNet(inputs).parameters()) == count


def test_refined_map_is_a_probability_of_the_images_size():
    refined = ASRNet(2, width=4).refine(torch.randn(3, 2, 32, 48))
    assert refined.shape == (3, 32, 48)
    assert refined.min() >= 0
    assert refined.max() <= 1
