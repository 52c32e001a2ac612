"""The discriminator of pairs of an image and a code (ALI and BiGAN)."""

import torch
from torch import Tensor, nn

from medad.networks.linear import Linear
from medad.networks.residual import normalised_init
from medad.networks.wgan import down_trunk, smallest_maps, trunk_features

SLOPE, DROPOUT = 0.1, 0.5


class PairDiscriminator(nn.Module):
    """Tells pairs (x, E(x)) from pairs (G(z), z).

    Parameters
    ----------
    size, channels : int
        Of the images.
    width : int
        Channels of the image branch at full size; the code branch has 8 and the joint layer 16 times as many.
    latent : int
        Length of a code.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 64, latent: int = 200) -> None:
        super().__init__()
        *trunk, flat = down_trunk(size, channels, width, "layer")
        norm = nn.GroupNorm(1, smallest_maps(size, width)[0])  # as the public codes have it before the joint layer
        self.image = nn.Sequential(*trunk, norm, nn.LeakyReLU(SLOPE), flat)
        self.code = nn.Sequential(normalised_init(Linear(latent, 8 * width)), nn.LeakyReLU(SLOPE))
        joint = normalised_init(Linear(trunk_features(size, width) + 8 * width, 16 * width))
        self.joint = nn.Sequential(nn.Dropout(DROPOUT), joint, nn.LeakyReLU(SLOPE), nn.Dropout(DROPOUT))
        self.out = normalised_init(Linear(16 * width, 1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits of images `x` (n, C, S, S) with codes `z` (n, latent), (n,): positive for (x, E(x))."""
        return self.out(self.features(x, z)).squeeze(1).float()

    def features(self, x: Tensor, z: Tensor) -> Tensor:
        """Return f(x, z), the joint layer, (n, 16 * width)."""
        return self.joint(torch.cat([self.image(x), self.code(z)], 1))
