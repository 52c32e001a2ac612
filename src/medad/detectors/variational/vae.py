"""VAE, with the reconstruction, density and gradient scores of Zimmerer et al.."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from medad.detectors.contract.options import STANDARD
from medad.detectors.contract.ranges import ranged
from medad.detectors.variational.variational import VariationalDetector, VariationalOptions
from medad.networks.vae import VAE
from medad.training.phase import Chunk
from medad.training.pixels import Pixels


@dataclass(frozen=True)
class VAEOptions(VariationalOptions):
    """Options of the VAE; the defaults are MedIAnomaly's code.

    Attributes
    ----------
    width : int
        Multiplier of the convolution channels.
    hidden, latent : int
        Sizes of the linear layers.
    beta : float
        Weight of the KL divergence against the log-likelihood under unit variance, both summed over their
        dimensions (1 is the ELBO). The default is MedIAnomaly's weight of means, 0.005, at 64 x 64 grey and
        latent 16; for that weight at n = C S^2 values and d latent dimensions give 0.005 n / (2 d). One beta
        suits all latent sizes: unused dimensions cost nothing. It suits all image sizes only as far as errors
        of neighbouring pixels are independent; for the balance of an enlarged image, let it grow with n.
    """

    width: int = ranged(1, 1, 64)
    hidden: int = ranged(1024, 1)
    latent: int = ranged(16, 1)
    beta: float = ranged(0.64, 0)

    @property
    def kl_weight(self) -> float:
        """Weight of the mean KL against the mean squared error: 2 beta d / n."""
        return self.beta * 2 * self.latent / (self.channels * self.size**2)


class VAEDetector(VariationalDetector):
    """Variational autoencoder: residual, KL divergence, ELBO and their gradients as scores.

    Scores and maps: see :class:`VariationalDetector`; ``pred_score`` is `score`.

    Differs from the paper: network, loss and recipe are MedIAnomaly's, not those of Zimmerer et al. (summed ELBO with
    beta 1, lr 1e-4) or Baur et al. (L1, latent 128, 128 pixels). MedIAnomaly samples the code at test, which makes
    scores random; here it is the mean unless `sample_at_test`. MedIAnomaly's weight of the mean KL, 0.005, is kept at
    64 x 64 grey and latent 16 only: elsewhere `beta` stays as it is (0.64), so that a nat of the code costs the same
    against the summed error; the weight is then 0.00125 at 128 x 128. ``elbo`` is our own addition to MedIAnomaly's
    scores. Gradient maps are neither smoothed nor averaged unless `smooth` and `noise_runs` say so, and never scaled by
    the minimum and maximum of a batch as Zimmerer et al. do, since an image's score must not depend on others; the
    noise of `noise_runs` is drawn around the image, where the library they use adds each run's noise to the last one's.
    The paper's 600 epochs on Brain Tumor are not built in.

    References
    ----------
    Kingma and Welling, ICLR 2014; Zimmerer et al., MICCAI 2019; Cai et al., Medical Image Analysis 2025
    (arXiv 2404.04518).
    """

    name = "vae"
    options_type = VAEOptions
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"hidden": 512, "epochs": 60},
        "tiny": {"hidden": 32, "steps": 2},
    }

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return VAE(options.size, options.channels, options.width, options.hidden, options.latent)

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return the images and the noise that samples their codes, (n, latent)."""
        x = images(index)
        return x, torch.randn(len(x), options.latent, device=x.device)

    @classmethod
    def objective(cls, options: Any, network: Any) -> Callable[..., Tensor]:
        """Return the negative ELBO."""
        return partial(network.negative_elbo, kl_weight=options.kl_weight)
