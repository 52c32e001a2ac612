"""The discrepancy maps of DDAD (Cai et al. 2023, section 3.2)."""

import torch
from torch import Tensor

from medad.networks.autoencoder import Reconstruction


def stack(outputs: list[Reconstruction], dim: int = 0) -> Reconstruction:
    """Join the outputs of K networks, tensors (K, n, C, S, S); with `dim` 1 those of n images by all K."""
    variances = [out.log_variance for out in outputs if out.log_variance is not None]
    mean = torch.stack([out.mean for out in outputs], dim)
    return Reconstruction(mean, torch.stack(variances, dim) if variances else None)


def together(modules: list[Reconstruction]) -> Reconstruction:
    """Join modules into one, with all of their networks."""
    variances = [module.log_variance for module in modules if module.log_variance is not None]
    return Reconstruction(torch.cat([module.mean for module in modules]), torch.cat(variances) if variances else None)


def unstack(module: Reconstruction) -> list[Reconstruction]:
    """Return the outputs of the single networks."""
    variances = [None] * len(module.mean) if module.log_variance is None else module.log_variance
    return [Reconstruction(mean, variance) for mean, variance in zip(module.mean, variances, strict=True)]


def mean_variance(module: Reconstruction) -> Tensor | None:
    """Return mean_k exp(log_variance_k), (n, C, S, S), or None for backbones without uncertainty."""
    return None if module.log_variance is None else module.log_variance.exp().mean(0)


def ensemble_residual(x: Tensor, module: Reconstruction) -> Tensor:
    """A_rec of the ensemble: (x - mu)^2, for AE-U divided by the mean variance; (n, S, S)."""
    error = (x - module.mean.mean(0)).square()
    variance = mean_variance(module)
    return (error if variance is None else error / variance).mean(1)


def a_intra(ndm: Reconstruction, bessel: bool = False) -> Tensor:
    """A_intra: the standard deviation of the K reconstructions of the NDM, for AE-U divided by sigma.

    Parameters
    ----------
    ndm : Reconstruction
        Tensors (K, n, C, S, S).
    bessel : bool
        Divide by K - 1 as the official code instead of K as the paper.

    Returns
    -------
    Tensor
        (n, S, S), not negative.
    """
    members = len(ndm.mean)
    squares = (ndm.mean - ndm.mean.mean(0)).square().sum(0)  # Tensor.std is 40 times as slow over the first dimension
    return _over_sigma((squares / (members - int(bessel))).sqrt(), ndm)


def a_inter(ndm: Reconstruction, udm: Reconstruction) -> Tensor:
    """A_inter: |mu_NDM - mu_UDM|, for AE-U divided by the NDM's sigma; (n, S, S), not negative."""
    return _over_sigma((ndm.mean.mean(0) - udm.mean.mean(0)).abs(), ndm)


def discrepancies(modules: list[Reconstruction], bessel: bool) -> dict[str, Tensor]:
    """Return A_intra and, if both modules are given (NDM, UDM), A_inter; maps (n, S, S)."""
    maps = {"a_intra": a_intra(modules[0], bessel)}
    return maps | {"a_inter": a_inter(*modules)} if len(modules) > 1 else maps


def _over_sigma(discrepancy: Tensor, ndm: Reconstruction) -> Tensor:
    variance = mean_variance(ndm)
    return (discrepancy if variance is None else discrepancy / variance.sqrt()).mean(1)
