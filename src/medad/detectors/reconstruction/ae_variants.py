"""Autoencoders that change one thing about AE, in the form and with the recipe of MedIAnomaly."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from medad.detectors.contract.options import TrainingOptions
from medad.detectors.contract.ranges import ranged
from medad.detectors.reconstruction.backbones import ReconstructionDetector
from medad.networks.autoencoder import AE, SpatialAE
from medad.synthesis.squares import erase_square
from medad.training.phase import Chunk
from medad.training.pixels import Pixels

ERASED_SHARE = 0.024  # of the area: 10 x 10 of 64 x 64 pixels


@dataclass(frozen=True)
class VariantOptions(TrainingOptions):
    """The network and MedIAnomaly's recipe.

    Attributes
    ----------
    width : int
        Multiplier of the convolution channels.
    hidden, latent : int
        Sizes of the layers between encoder and decoder.
    """

    width: int = ranged(1, 1, 64)
    hidden: int = ranged(1024, 1)
    latent: int = ranged(16, 1)


class AEVariant(ReconstructionDetector):
    """AE of MedIAnomaly; the squared residual is the anomaly map."""

    options_type = VariantOptions
    forms = {}
    network_type: ClassVar[type[AE]] = AE

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return cls.network_type(options.size, options.channels, options.width, options.hidden, options.latent)


class SpatialAEDetector(AEVariant):
    """Autoencoder with a code of 16 values at every position of its last map; squared residual.

    Scores: ``a_rec``, the mean of its map.

    Differs from the paper: this is MedIAnomaly's network, with 1 x 1 convolutions where AE has linear layers. Baur et
    al. (2021) keep the encoder's last map itself as the code, with dropout.

    References
    ----------
    Cai et al., MedIAnomaly, Medical Image Analysis 2025.
    """

    name = "ae_spatial"
    network_type = SpatialAE


class AEGrad(AEVariant):
    """Autoencoder judged by how fast its error changes with every pixel.

    The map ``a_grad`` is |d mean((x - x_hat)^2) / dx|, the mean over an image's pixels and channels, with the
    gradient also through x_hat.

    Scores: ``a_grad``, which is ``pred_score``, and ``a_rec``, the squared residual; each the mean of its map.

    Differs from the paper: gradients are taken in evaluation mode, of each image by itself.

    References
    ----------
    Cai et al., MedIAnomaly, Medical Image Analysis 2025.
    """

    name = "ae_grad"
    meanings = {
        "a_grad": "how fast the reconstruction error changes with a pixel",
        "a_rec": "reconstruction error",
    }

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the gradient map, the residual map and their means."""
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone().requires_grad_()
            residual = self.residual(x)
            (slope,) = torch.autograd.grad(residual.mean((1, 2)).sum(), x)
        maps = {"a_grad": slope.abs().mean(1), "a_rec": residual.detach()}
        scores = {name: values.mean((1, 2)) for name, values in maps.items()}
        return scores | {"pred_score": scores["a_grad"]}, maps | {"anomaly_map": maps["a_grad"]}


@dataclass(frozen=True)
class ConstrainedAEOptions(VariantOptions):
    """Options of the constrained AE.

    Attributes
    ----------
    rho : float
        Weight of the distance between the codes of an image and of its reconstruction.
    """

    rho: float = 1.0


class ConstrainedAE(AEVariant):
    """Autoencoder whose reconstruction must have the image's own code; squared residual.

    Scores: ``a_rec``, the mean of its map.

    Differs from the paper: this is MedIAnomaly's form, without the adversarial prior of Chen and Konukoglu. The second
    pass of the encoder is made in training only; there its batch norms see images and reconstructions in turn.

    References
    ----------
    Chen and Konukoglu, arXiv 1806.04972, 2018; Cai et al., MedIAnomaly, Medical Image Analysis 2025.
    """

    name = "constrained_ae"
    options_type = ConstrainedAEOptions

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return :func:`constrained_loss` of the network."""
        assert isinstance(network, AE)
        return partial(constrained_loss, network, options.rho)


def constrained_loss(network: AE, rho: float, x: Tensor) -> Tensor:
    """Return mean((x - x_hat)^2) + `rho` * mean((E(x) - E(x_hat))^2), gradients through all of it."""
    z = network.encode(x)
    out = network.decode(z)
    again = network.encode(out)
    return (x - out).square().mean() + rho * (z.float() - again.float()).square().mean()


class CeAE(AEVariant):
    """Context-encoding autoencoder: it fills a hole in every training image; squared residual of the whole image.

    Scores: ``a_rec``, the mean of its map.

    Differs from the paper: this is MedIAnomaly's form, one black square of 2.4 % of the area per image and the error
    over all pixels. Not followed: Baur's code of ceVAE compares with the image that has the hole, and makes the same
    hole in all images of a batch.

    References
    ----------
    Zimmerer et al., arXiv 1812.05941, 2018; Cai et al., MedIAnomaly, Medical Image Analysis 2025.
    """

    name = "ceae"

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return the images with holes, and whole."""
        x = images(index)
        return erase_square(x, ERASED_SHARE), x

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the mean squared difference between what is made of images with holes and the whole ones."""
        return lambda holed, whole: (whole - network(holed).mean).square().mean()
