"""Nearest neighbours against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from medad.detectors.features import nearest_rows as module
from medad.detectors.features.nearest_rows import nearest


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("at_once", [1, 700, 2**22])
def test_neighbours_are_scikit_learn_s(k, at_once, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    generator = torch.Generator().manual_seed(0)
    rows, bank = (torch.randn(n, 7, generator=generator) + 100 for n in (30, 200))
    distances, indices = nearest(rows, bank, k)
    expected, which = NearestNeighbors(n_neighbors=k).fit(bank.double()).kneighbors(rows.double())
    np.testing.assert_allclose(distances, expected, rtol=1e-12)
    np.testing.assert_array_equal(indices, which)


def test_a_row_of_the_bank_is_at_distance_zero_and_alone_as_among_others():
    bank = torch.randn(500, 40, generator=torch.Generator().manual_seed(0)) + 30
    distances, indices = nearest(bank, bank)
    np.testing.assert_array_equal(distances, 0)
    np.testing.assert_array_equal(indices[:, 0], np.arange(500))
    rows = bank + 1e-3 * torch.randn(500, 40)
    together = nearest(rows, bank)[0]
    np.testing.assert_array_equal(together, torch.cat([nearest(row[None], bank)[0] for row in rows]))


def test_a_bank_may_be_as_small_as_the_number_of_neighbours():
    distances, _ = nearest(torch.zeros(1, 2), torch.tensor([[3.0, 4.0], [0.0, 1.0]]), 2)
    np.testing.assert_allclose(distances, [[1, 5]])
