"""Work that is not gradient steps: batches of images in, named tensors out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Fit:
    """A piece of training that computes tensors from all images, a batch at a time: means, banks, regressions.

    Attributes
    ----------
    name : str
        Of the fit; its tensors are stored as ``NAME/TENSOR``.
    tensors : dict
        All that it has found so far, of shapes that stay; it is checkpointed between batches.
    update : callable
        Takes the indices of the images of a batch, in their order, and changes `tensors` in place. Random numbers
        that it draws from torch's default generator depend on the seed and the batch alone.
    finish : callable, optional
        `tensors` after the last batch -> tensors that are the result; by default they are it.
    """

    name: str
    tensors: dict[str, Tensor]
    update: Callable[[Tensor], None]
    finish: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None

    chunk_batches = 1

    @torch.no_grad()
    def advance(self, index: Tensor, batch_size: int, number: int) -> list[Tensor]:
        """Take in the images at `index`; a fit has no losses."""
        for part in index.split(batch_size):
            self.update(part)
        return []

    def state(self) -> dict[str, Tensor]:
        """Return what has been found so far."""
        return dict(self.tensors)

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what :meth:`state` returned."""
        for name, place in self.tensors.items():
            place.copy_(tensors[name])

    @torch.no_grad()
    def result(self) -> dict[str, Tensor]:
        """Return what the fit ends with."""
        found = self.finish(self.tensors) if self.finish else self.tensors
        return {f"{self.name}/{name}": value for name, value in found.items()}
