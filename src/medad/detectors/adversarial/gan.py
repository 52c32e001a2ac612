"""What all methods with a GAN share: its size and how long it trains."""

from dataclasses import dataclass

from medad.detectors.contract.options import Options
from medad.detectors.contract.ranges import ranged
from medad.training.spec import Recipe


@dataclass(frozen=True)
class GANOptions(Options):
    """The size of a GAN and its training, which is counted in steps: an epoch means little to a GAN.

    Attributes
    ----------
    width : int
        Channels where the networks are narrowest; they grow to eight times as many.
    latent : int
        Length of a code.
    batch_size : int
        Images in a step.
    steps : int
        Steps of the generator.
    lr, beta1, beta2 : float
        Of Adam.
    """

    width: int = ranged(64, 1, 64)
    latent: int = ranged(128, 1)
    batch_size: int = ranged(64, 2)
    steps: int = ranged(20_000, 1)
    lr: float = ranged(1e-4, 1e-12, 1)
    beta1: float = ranged(0.0, 0, 1 - 1e-9)
    beta2: float = ranged(0.9, 0, 1 - 1e-9)

    def gan_recipe(self, count: int) -> Recipe:
        """Return how long the GAN trains on `count` images."""
        return Recipe(count, self.batch_size, 1, self.steps)
