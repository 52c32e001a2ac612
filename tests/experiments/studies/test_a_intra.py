"""Readings of A_intra agree with each other where they must."""

import torch

from medad.detectors.ddad.discrepancy import stack
from medad.experiments.studies.a_intra import readings
from medad.networks.autoencoder import Reconstruction


def module(log_variance: float) -> Reconstruction:
    means = torch.randn(3, 4, 1, 8, 8)
    return stack([Reconstruction(mean, torch.full_like(mean, log_variance)) for mean in means])


def test_all_readings_are_one_where_the_variance_is_one():
    found = readings(module(0.0), module(0.0))
    ours = found["std / sigma of the NDM (ours)"]
    for name in ("std / mean of the sigmas", "std / sigma of the UDM", "std / sigma^2", "std alone, without sigma"):
        torch.testing.assert_close(found[name], ours)


def test_sigma_divides():
    found = readings(module(2.0), module(0.0))
    alone = found["std alone, without sigma"]
    torch.testing.assert_close(found["std / sigma of the NDM (ours)"], alone / torch.tensor(1.0).exp())
    torch.testing.assert_close(found["std / sigma of the UDM"], alone)
    torch.testing.assert_close(found["divisor K - 1"], found["std / sigma of the NDM (ours)"] * 1.5**0.5)
