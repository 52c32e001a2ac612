"""Methods with one network: what the objective takes may come from several images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gan_runs import assert_same_weights, train
from helpers import make_images
from torch import Tensor, nn

from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import TrainingOptions
from medad.training.phase import Chunk
from medad.training.pixels import MappedPixels, Pixels


@dataclass(frozen=True)
class ForeignOptions(TrainingOptions):
    """Few steps of few images."""

    batch_size: int = 4
    epochs: int = 3


class Blending(nn.Module):
    """Guesses a foreign image that is mixed in."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)

    def loss(self, mixture: Tensor, foreign: Tensor) -> Tensor:
        """Return the mean squared error."""
        return (self.layer(mixture) - foreign).square().mean()


class Foreign(OneNetworkDetector):
    """A method that needs two images a row."""

    name = "foreign"
    options_type = ForeignOptions

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        return Blending()

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        foreign = images((index + torch.randint(1, len(images), index.shape)) % len(images))
        return (images(index) + foreign) / 2, foreign

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        score = self.networks_[self.name].layer(x).mean((1, 2, 3))
        return {"pred_score": score}, {}


def test_a_row_may_hold_a_foreign_image(tmp_path):
    pixels = make_images(9, seed=1).pixels
    np.save(tmp_path / "images.npy", pixels)
    images, index = MappedPixels([tmp_path / "images.npy"], torch.device("cpu")), torch.arange(9)
    mixture, foreign = Foreign.samples(None, images, index)
    own = 2 * mixture - foreign
    torch.testing.assert_close(own, images(index))
    everything = images(index).flatten(1)
    nearest = torch.cdist(foreign.flatten(1), everything).argmin(1)
    assert (nearest != index).all()  # another image, of the same training set
    torch.testing.assert_close(foreign.flatten(1), everything[nearest])


def test_such_a_training_is_the_same_after_a_stop(tmp_path):
    whole = train(Foreign(device="cpu", jobs=1), tmp_path / "whole")
    assert_same_weights(train(Foreign(device="cpu", jobs=1), tmp_path / "stopped", stops=[2, 5]), whole)
