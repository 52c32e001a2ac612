"""Vector quantisation with a straight-through gradient (van den Oord et al., NeurIPS 2017)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-5  # codes, added to every code's count: an unused code's would be zero


class Quantised(NamedTuple):
    """What a quantiser makes of features.

    Attributes
    ----------
    values : Tensor
        The nearest vectors of the codebook, (n, D, h, w), fp32; their gradient goes to the features unchanged.
    codes : Tensor
        Their numbers, (n, h, w), ``int64``.
    loss : Tensor
        Mean squared distance that training makes small, 0-d.
    """

    values: Tensor
    codes: Tensor
    loss: Tensor


class Quantiser(nn.Module):
    """Replace every vector of a feature map by the nearest one of a codebook that something else learns.

    Attributes
    ----------
    codebook : Tensor
        K vectors, (K, D).
    """

    codebook: Tensor

    @torch.no_grad()
    def nearest(self, z: Tensor) -> Tensor:
        """Return the numbers, (n, h, w), of the vectors of the codebook that are nearest to `z`, (n, D, h, w)."""
        vectors = z.movedim(1, -1)
        distances = self.codebook.square().sum(1) - 2 * (vectors @ self.codebook.T)  # but for |z|^2, the same for all
        return distances.argmin(-1)

    def look_up(self, codes: Tensor) -> Tensor:
        """Return the vectors, (n, D, h, w), that `codes`, (n, h, w), stand for."""
        return F.embedding(codes, self.codebook).movedim(-1, 1)

    def forward(self, z: Tensor) -> Quantised:
        """Quantise features `z`, (n, D, h, w); the loss is the commitment MSE(z, sg e)."""
        with torch.autocast(z.device.type, enabled=False):
            z = z.float()
            codes = self.nearest(z)
            e = self.look_up(codes).detach()
            return Quantised(z + (e - z).detach(), codes, F.mse_loss(z, e))


class GradientQuantiser(Quantiser):
    """Quantiser whose codebook follows the gradient: the loss is MSE(z, sg e) + MSE(e, sg z).

    Parameters
    ----------
    codes, features : int
        Number K and length D of the vectors, initialised uniformly within ±1/K.
    """

    def __init__(self, codes: int, features: int) -> None:
        super().__init__()
        self.codebook = nn.Parameter(torch.empty(codes, features).uniform_(-1 / codes, 1 / codes))

    def forward(self, z: Tensor) -> Quantised:
        """Quantise features `z`, (n, D, h, w)."""
        out = super().forward(z)
        return out._replace(loss=out.loss + F.mse_loss(self.look_up(out.codes), z.detach().float()))


class EMAQuantiser(Quantiser):
    """Quantiser whose vectors are running means of the features that chose them; the loss is MSE(z, sg e).

    In training every call moves the codebook, after its vectors were looked up. Counts, sums and codebook
    are buffers that change in place, so that a GPU can record the call, and that are saved with the weights.

    Parameters
    ----------
    codes, features : int
        Number K and length D of the vectors, initialised from N(0, 1).
    decay : float
        Share of the past in the running counts and sums.

    References
    ----------
    Razavi et al., NeurIPS 2019, in the form of the public code rosinality/vq-vae-2-pytorch: counts start at 1 and
    are smoothed to (count + 1e-5) / (total + K 1e-5) * total.
    """

    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int, features: int, decay: float = 0.99) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("codebook", torch.randn(codes, features))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", self.codebook.clone())

    def forward(self, z: Tensor) -> Quantised:
        """Quantise features `z`, (n, D, h, w)."""
        out = super().forward(z)
        if self.training:
            with torch.autocast(z.device.type, enabled=False):
                self._move(z.detach().float(), out.codes)
        return out

    @torch.no_grad()
    def _move(self, z: Tensor, codes: Tensor) -> None:
        choices = (codes.flatten()[:, None] == torch.arange(len(self.counts), device=z.device)).float()
        self.counts.lerp_(choices.sum(0), 1 - self.decay)
        self.sums.lerp_(choices.T @ z.movedim(1, -1).flatten(0, -2), 1 - self.decay)
        total = self.counts.sum()
        smoothed = (self.counts + EPSILON) / (total + len(self.counts) * EPSILON) * total
        self.codebook.copy_(self.sums / smoothed[:, None])
