"""Scores of maps against NumPy."""

import numpy as np
import torch

from medad.detectors.contract.summaries import summaries


def test_summaries_are_numpy_s():
    maps = torch.rand(3, 40, 40)
    values = np.sort(maps.numpy().reshape(3, -1), 1)
    expected = {"max": values[:, -1], "mean": values.mean(1), "top": values[:, -16:].mean(1)}
    found = summaries(maps)
    assert found.keys() == expected.keys()
    for name, score in expected.items():
        np.testing.assert_allclose(found[name], score, rtol=1e-5)
