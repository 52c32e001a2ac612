"""What all methods with a GAN share: its size and how long it trains."""

from dataclasses import dataclass

from medad.detectors.options import Options
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

    width: int = 64
    latent: int = 128
    batch_size: int = 64
    steps: int = 20_000
    lr: float = 1e-4
    beta1: float = 0.0
    beta2: float = 0.9

    def gan_recipe(self, count: int) -> Recipe:
        """Return how long the GAN trains on `count` images."""
        return Recipe(count, self.batch_size, 1, self.steps)
