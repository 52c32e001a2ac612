"""What the variational methods share: their scores and maps."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import TrainingOptions
from medad.detectors.contract.ranges import ranged
from medad.errors import check_choice
from medad.networks.filters import gaussian_filter
from medad.networks.vae import kl_divergence, sampled
from medad.training.seeds import derive_seed

SCORES = ("a_rec", "kl", "elbo", "grad_elbo", "grad_rec", "grad_kl", "combi")
INPUT_NOISE = 0.1  # standard deviation of the noise over which gradients are averaged (trixi, which Zimmerer uses)


@dataclass(frozen=True)
class VariationalOptions(TrainingOptions):
    """Options of scoring that the variational methods share.

    Attributes
    ----------
    score : str
        Which score is ``pred_score``; its map, where it has one, is the anomaly map.
    smooth : int
        Side in pixels of a Gaussian filter on gradient maps; 0 for none. An even one counts as the odd one below it.
    noise_runs : int
        If positive, gradient maps are means over so many noisy versions of the image.
    sample_at_test : bool
        Reconstruct from a sample of the code instead of its mean.
    """

    scoring = TrainingOptions.scoring | {"score", "smooth", "noise_runs", "sample_at_test"}

    score: str = "a_rec"
    smooth: int = ranged(0, 0)
    noise_runs: int = ranged(0, 0)
    sample_at_test: bool = False


class Terms(NamedTuple):
    """The terms of the ELBO of n images.

    Attributes
    ----------
    residual : Tensor
        (x - x_hat)^2, (n, C, S, S).
    rec : Tensor
        Reconstruction error that training makes small, (n,).
    kl : Tensor
        KL divergence in nats, mean over the latent dimensions, (n,).
    """

    residual: Tensor
    rec: Tensor
    kl: Tensor


class VariationalDetector(OneNetworkDetector):
    """A network with ``posterior`` and ``decode``; options with the number ``kl_weight``.

    Scores: ``a_rec``, ``kl``, ``elbo`` (reconstruction error + ``kl_weight`` * KL, the negative of the bound);
    ``grad_elbo``, ``grad_rec`` and ``grad_kl``, the absolute gradients of these for one image with respect to it;
    ``combi``, residual times ``grad_kl``. All but ``kl`` and ``elbo`` are means of maps of the same name; with one
    of these two as `score` the anomaly map is ``a_rec``. Random numbers of scoring come from the detector's seed
    and are the same for every image.
    """

    meanings = {
        "a_rec": "reconstruction error",
        "kl": "distance of the code's distribution from that of normal images' codes (KL divergence)",
        "elbo": "improbability of the image under the model (negative ELBO)",
        "grad_elbo": "how fast the improbability changes with a pixel",
        "grad_rec": "how fast the reconstruction error changes with a pixel",
        "grad_kl": "how fast the KL divergence changes with a pixel",
        "combi": "reconstruction error times grad_kl",
    }

    def __init__(self, options: VariationalOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("score", self.options.score, SCORES)

    @staticmethod
    def error(residual: Tensor) -> Tensor:
        """Return the reconstruction error of training, (n,), given x - x_hat, (n, C, S, S): the mean square."""
        return residual.square().mean((1, 2, 3))

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return all scores, and the maps of those that have one."""
        o, terms = self.options, self._terms(x)
        slopes = self._mean_slopes(x)
        full = {"a_rec": terms.residual} | slopes | {"combi": terms.residual * slopes["grad_kl"]}
        maps = {name: value.mean(1) for name, value in full.items()}
        scores = {name: value.mean((1, 2)) for name, value in maps.items()}
        scores |= {"kl": terms.kl, "elbo": terms.rec + o.kl_weight * terms.kl}
        return scores | {"pred_score": scores[o.score]}, maps | {"anomaly_map": maps.get(o.score, maps["a_rec"])}

    def _terms(self, x: Tensor) -> Terms:
        network: Any = self.folded_[self.name]
        mu, log_variance = network.posterior(x)
        z = sampled(mu, log_variance, self._noise("code", mu)) if self.options.sample_at_test else mu
        residual = x - network.decode(z)
        return Terms(residual.square(), self.error(residual), kl_divergence(mu, log_variance))

    def _mean_slopes(self, x: Tensor) -> dict[str, Tensor]:
        """Return the gradient maps, (n, C, S, S) each, averaged over noise and smoothed as the options say."""
        o = self.options
        noisy = [x + INPUT_NOISE * self._noise(f"input {i}", x) for i in range(o.noise_runs)]
        runs = [self._slopes(image) for image in noisy or [x]]
        means = {name: torch.stack([run[name] for run in runs]).mean(0) for name in runs[0]}
        return {name: gaussian_filter(mean, o.smooth) for name, mean in means.items()} if o.smooth else means

    def _slopes(self, x: Tensor) -> dict[str, Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone().requires_grad_()
            terms = self._terms(x)
            (kl,) = torch.autograd.grad(terms.kl.sum(), x, retain_graph=True)
            (rec,) = torch.autograd.grad(terms.rec.sum(), x)
        elbo = rec + self.options.kl_weight * kl
        return {"grad_elbo": elbo.abs(), "grad_rec": rec.abs(), "grad_kl": kl.abs()}

    def _noise(self, purpose: str, like: Tensor) -> Tensor:
        """Return normal noise for one row of `like`, the same on every call and device."""
        generator = torch.Generator().manual_seed(derive_seed(self.seed, self.name, purpose))
        return torch.randn(like.shape[1:], generator=generator).to(like.device)
