"""ceVAE: a VAE that also fills in what was hidden from it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from medad.detectors.contract.options import STANDARD
from medad.detectors.contract.ranges import ranged
from medad.detectors.variational.conv_vae import ConvVAE
from medad.detectors.variational.variational import VariationalDetector, VariationalOptions
from medad.synthesis.squares import overwrite_squares
from medad.training.phase import Chunk
from medad.training.pixels import Pixels


@dataclass(frozen=True)
class CeVAEOptions(VariationalOptions):
    """Options of ceVAE; the defaults are those of the MOOD challenge's baseline.

    Attributes
    ----------
    width : int
        Channels of the first level; each of the next three has four times as many.
    latent : int
        Dimensions of the code.
    kl_weight : float
        Weight of the KL divergence, mean over the code, against the mean absolute error (``beta`` of the baseline).
    """

    width: int = ranged(16, 1, 64)
    latent: int = ranged(128, 1)
    kl_weight: float = ranged(0.01, 0)
    epochs: int = 20
    batch_size: int = 16
    lr: float = 1e-4
    score: str = "elbo"
    smooth: int = 8
    noise_runs: int = 2


class CeVAEDetector(VariationalDetector):
    """Context-encoding VAE: half of the loss is that of a VAE, half that of restoring overwritten squares.

    Scores and maps: see :class:`VariationalDetector`; the reconstruction error is the
    mean absolute one. ``pred_score`` is ``elbo``, so the anomaly map is ``a_rec``; the baseline's pixel modes rec,
    grad and combi are the maps ``a_rec``, ``grad_elbo`` and ``combi``.

    Differs from the paper: the form is that of the MOOD baseline at the images' own size instead of 128 pixels. Its
    mask keeps only the last of an image's squares and cannot reach the last row and column; here an image has all of
    its 0 to 2 squares, anywhere, and their values come from [-1, 1], not from the range of the batch. Its gradient maps
    are scaled by minimum and maximum of a batch (here not at all: an image's score must not depend on others), and its
    second noisy pass adds to the noise of the first (here each is around the image). Its 20 epochs are few where images
    are few (1,260 steps for 1,000): give more then.

    References
    ----------
    Zimmerer et al., Context-encoding variational autoencoder for unsupervised anomaly detection,
    arXiv 1812.05941; MIC-DKFZ/mood.
    """

    name = "cevae"
    options_type = CeVAEOptions
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 8},
        "tiny": {"width": 1, "latent": 8, "steps": 2},
    }

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return ConvVAE(options.size, options.channels, options.width, options.latent)

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return the images, the same with squares overwritten, and the noise of both codes, (n, 2, latent)."""
        x = images(index)
        return x, overwrite_squares(x), torch.randn(len(x), 2, options.latent, device=x.device)

    @classmethod
    def objective(cls, options: Any, network: Any) -> Callable[..., Tensor]:
        """Return the mean of the losses of VAE and context encoder."""
        return partial(network.context_loss, kl_weight=options.kl_weight)

    @staticmethod
    def error(residual: Tensor) -> Tensor:
        """Return the mean absolute error, (n,), given x - x_hat, (n, C, S, S)."""
        return residual.abs().mean((1, 2, 3))
