"""Discrepancy maps against numpy and the laws they obey."""

import numpy as np
import torch
from scipy.stats import spearmanr

from medad.detectors.ddad.discrepancy import a_inter, a_intra, ensemble_residual, stack
from medad.networks.autoencoder import Reconstruction


def module(seed: int, variance: bool, k: int = 3) -> Reconstruction:
    generator = torch.Generator().manual_seed(seed)
    outputs = [torch.randn(4, 2, 8, 8, generator=generator) for _ in range(k)]
    logs = [torch.randn(4, 2, 8, 8, generator=generator) if variance else None for _ in range(k)]
    return stack([Reconstruction(mean, log) for mean, log in zip(outputs, logs, strict=True)])


def test_maps_without_uncertainty():
    ndm, udm, x = module(0, False), module(1, False), torch.rand(4, 2, 8, 8)
    a, b = ndm.mean.numpy(), udm.mean.numpy()
    np.testing.assert_allclose(a_intra(ndm), a.std(0).mean(1), rtol=1e-5)
    np.testing.assert_allclose(a_intra(ndm, bessel=True), a.std(0, ddof=1).mean(1), rtol=1e-5)
    np.testing.assert_allclose(a_inter(ndm, udm), abs(a.mean(0) - b.mean(0)).mean(1), rtol=1e-5)
    np.testing.assert_allclose(ensemble_residual(x, ndm), ((x.numpy() - a.mean(0)) ** 2).mean(1), rtol=1e-5)


def test_uncertainty_is_the_ndms_root_mean_variance():
    ndm, udm, x = module(0, True), module(1, True), torch.rand(4, 2, 8, 8)
    variance = np.exp(ndm.log_variance.numpy()).mean(0)
    a, b = ndm.mean.numpy(), udm.mean.numpy()
    np.testing.assert_allclose(a_intra(ndm), (a.std(0) / variance**0.5).mean(1), rtol=1e-4)
    np.testing.assert_allclose(a_inter(ndm, udm), (abs(a.mean(0) - b.mean(0)) / variance**0.5).mean(1), rtol=1e-4)
    np.testing.assert_allclose(ensemble_residual(x, ndm), ((x.numpy() - a.mean(0)) ** 2 / variance).mean(1), rtol=1e-4)


def test_identical_members_have_no_discrepancy():
    one = module(0, True, k=1)
    twins = Reconstruction(one.mean.expand(3, -1, -1, -1, -1), one.log_variance.expand(3, -1, -1, -1, -1))
    assert a_intra(twins).abs().max() < 1e-6
    assert a_inter(twins, twins).abs().max() == 0


def test_the_divisor_does_not_change_the_ranking():
    ndm = module(0, True)
    plain, bessel = a_intra(ndm).mean((1, 2)), a_intra(ndm, bessel=True).mean((1, 2))
    assert spearmanr(plain, bessel).statistic == 1
