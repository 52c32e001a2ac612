"""A network that learns to tell images from changed ones: its options, its parts and its loss."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.contract.options import Options
from medad.detectors.contract.ranges import ranged
from medad.detectors.synthetic.encoders import check_encoder, make_encoder, pretrained_state
from medad.errors import OptionError
from medad.networks.weights_file import weights_digest

HIDDEN, LAST_HIDDEN = 512, 128


@dataclass(frozen=True)
class PatchClassifierOptions(Options):
    """Options of both stages; the defaults are preset ``paper``.

    Attributes
    ----------
    encoder : str
        ``"scratch"``: ResNet18, trained from random weights; ``"resnet18"`` or ``"efficientnet_lite0"``: trained from
        ImageNet's weights.
    weights : str
        File with these, for ResNet18 torchvision's; not needed where an installed package has them. Only training
        reads it.
    width : int
        Channels of the first layer of an encoder from scratch, a multiple of 16; 8 times as many in a descriptor.
    hidden : int
        Number of layers with 512 numbers between descriptor and classes; one of 128 follows.
    steps, batch_size : int
        Length of training, and images per step; each appears in every class.
    lr, momentum, weight_decay : float
        Of SGD; the learning rate falls to zero along a cosine.
    frozen_steps : int
        Steps in which a pretrained encoder is not changed.
    """

    scoring = Options.scoring | {"weights"}

    size: int = 224
    encoder: str = "scratch"
    weights: str = ""
    width: int = ranged(64, 16, 64)
    hidden: int = ranged(1, 0)
    steps: int = ranged(25_600, 1)
    batch_size: int = ranged(64, 2)
    lr: float = ranged(0.03, 1e-12, 1)
    momentum: float = ranged(0.9, 0, 1 - 1e-9)
    weight_decay: float = ranged(3e-5, 0)
    frozen_steps: int = ranged(20, 0)

    def __post_init__(self) -> None:
        """Refuse an encoder or a width that there is not, and what `Options` refuses."""
        super().__post_init__()
        if self.width % 16:
            raise OptionError("width", "choose a multiple of 16", self.width)
        check_encoder(self.encoder, self.weights)

    def of_training(self) -> dict[str, Any]:
        """Return the options on which the weights depend: of a file of weights, what it holds and not where it lies."""
        if self.encoder == "scratch":
            return super().of_training()
        return super().of_training() | {"pretrained": weights_digest(pretrained_state(self.encoder, self.weights))}


class PatchClassifier(nn.Module):
    """An encoder and a head that tells classes of images apart.

    Parameters
    ----------
    encoder : Module
        Images to descriptors (n, D).
    length : int
        D.
    classes : int
        Number of classes.
    hidden : int
        Number of layers with 512 numbers before the one with 128.
    """

    def __init__(self, encoder: nn.Module, length: int, classes: int, hidden: int) -> None:
        super().__init__()
        self.encoder, self.length, self.head = encoder, length, nn.Sequential()
        for outputs in [*[HIDDEN] * hidden, LAST_HIDDEN]:
            self.head.extend([nn.Linear(length, outputs), nn.BatchNorm1d(outputs), nn.ReLU()])
            length = outputs
        self.head.append(nn.Linear(length, classes))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return descriptors (n, D) and logits (n, classes) of images (n, C, S, S) in [-1, 1], fp32."""
        d = self.encoder(x)
        return d.float(), self.head(d).float()


def make_classifier(options: PatchClassifierOptions, classes: int) -> PatchClassifier:
    """Return an untrained network."""
    encoder, length = make_encoder(options.encoder, options.width)
    return PatchClassifier(encoder, length, classes, options.hidden)


def classification_loss(network: nn.Module, x: Tensor) -> Tensor:
    """Return the mean cross entropy for images (n, classes, C, S, S), each as every class."""
    n, classes = x.shape[:2]
    rows = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    _, logits = network(rows)
    return F.cross_entropy(logits, torch.arange(classes, device=x.device).repeat(n))
