"""VQ-VAE-2 as a reconstruction method."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from medad.detectors.codebook.vqvae2_network import VQVAE2
from medad.detectors.contract.groups import Analysis, in_groups
from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.ranges import ranged


@dataclass(frozen=True)
class VQVAE2Options(TrainingOptions):
    """Options of VQ-VAE-2.

    Attributes
    ----------
    hidden : int
        Channels of encoders and decoders.
    latent, codes : int
        Length and number of the vectors of each codebook.
    """

    epochs: int = 560
    batch_size: int = 128
    lr: float = 3e-4
    hidden: int = ranged(128, 1)
    latent: int = ranged(64, 1)
    codes: int = ranged(512, 2)


class VQVAE2Detector(OneNetworkDetector):
    """VQ-VAE-2, squared residual.

    Scores: ``a_rec``, the mean of its map, the squared residual.

    Differs from the paper: the slides that compare with it do not say how they score images, so the score is the mean
    squared residual, without the autoregressive priors over the codes. Network and recipe are those of the public code
    rosinality/vq-vae-2-pytorch, which was made for photographs of 256 x 256; its commitment is the mean over values,
    and the codebooks are running means of the features. They start from N(0, 1), as in that code, far from the first
    features: few vectors are used until the others have faded, so that short trainings have few codes.

    References
    ----------
    Razavi, van den Oord, Vinyals, NeurIPS 2019.
    """

    name = "vqvae2"
    options_type = VQVAE2Options
    meanings = {
        "a_rec": "reconstruction error",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"hidden": 32, "latent": 16, "codes": 128, "lr": 1e-3, "batch_size": 64, "epochs": 60},
        "tiny": {"hidden": 8, "latent": 4, "codes": 8, "steps": 2},
    }

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return VQVAE2(options.channels, options.hidden, options.latent, options.codes)

    def analyse(self, x: Tensor) -> Analysis:
        """Return the squared residual and its mean."""
        return in_groups(self._analyse, x)

    def _analyse(self, x: Tensor) -> Analysis:
        residual = (x - self.folded_[self.name](x)[0]).square().mean(1)
        score = residual.mean((1, 2))
        return {"a_rec": score, "pred_score": score}, {"a_rec": residual, "anomaly_map": residual}
