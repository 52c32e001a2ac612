"""What every extractor is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from medad.detectors.features.extractors.places import enlarged

Maps = dict[str, Tensor]  # (n, channels, height, width) by stage, the finest first


class Extractor(nn.Module, ABC):
    """A network that is never trained, and what its stages see.

    Attributes
    ----------
    pooled : tuple of str
        Stages whose means over places, one after the other, are an image's descriptor.
    dense : tuple of str
        Stages at which methods look that describe every place.
    centred : bool
        Where these places lie, see :func:`medad.detectors.features.extractors.places.enlarged`.
    """

    pooled: tuple[str, ...]
    dense: tuple[str, ...]
    centred: bool = True

    @abstractmethod
    def forward(self, x: Tensor) -> Maps:
        """Return the maps of all stages, of images `x` (n, C, S, S) in [-1, 1], grey ones taken for RGB."""

    def describe(self, maps: Mapping[str, Tensor]) -> Tensor:
        """Return the descriptors of images, (n, D), from the maps of their stages."""
        return torch.cat([maps[name].mean((2, 3)) for name in self.pooled], 1)

    def contributions(self, maps: Mapping[str, Tensor], weights: Tensor, size: int) -> Tensor:
        """Return what each place contributes to a linear function of the descriptor.

        Parameters
        ----------
        maps : mapping
            The maps of n images.
        weights : Tensor
            (D,) or, one for each image, (n, D).
        size : int
            S.

        Returns
        -------
        Tensor
            (n, S, S), the sum over stages, each enlarged bilinearly; its mean over places is the function's value,
            but for an intercept.
        """
        n = len(next(iter(maps.values())))
        parts = weights.expand(n, -1).split([maps[name].shape[1] for name in self.pooled], 1)
        stages = zip(self.pooled, parts, strict=True)
        return sum(
            (
                self._contribution(torch.einsum("nchw,nc->nhw", maps[name].float(), part.float()), size)
                for name, part in stages
            ),
            torch.zeros(n, size, size, device=weights.device),
        )

    def enlarge(self, x: Tensor, size: int) -> Tensor:
        """Return maps of stages (n, c, h, w) as (n, c, size, size), every place where it lies."""
        return enlarged(x, size, self.centred)

    def _contribution(self, x: Tensor, size: int) -> Tensor:
        """Return maps (n, h, w) as (n, size, size), with the same means."""
        large = self.enlarge(x[:, None], size)[:, 0]
        return large + (x.mean((1, 2)) - large.mean((1, 2)))[:, None, None]
