"""The description of a piece of training: what travels to a worker process, and how long it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from medad.training.seeds import derive_seed

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Recipe:
    """How long a phase trains.

    Attributes
    ----------
    count, batch_size : int
        Number of training images and of images per step. Fewer images than a batch train as one batch.
    epochs : int
        Passes over the images.
    steps : int or None
        If given, the number of steps whatever the number of epochs.
    keep_last : bool
        Whether an epoch ends with the images that fill no batch; by default they are dropped. A single one
        is always dropped: batch norm cannot learn from it.
    """

    count: int
    batch_size: int
    epochs: int
    steps: int | None = None
    keep_last: bool = False

    @property
    def steps_per_epoch(self) -> int:
        """Return the number of batches in an epoch, at least one."""
        whole, rest = divmod(self.count, self.batch_size)
        return max(whole + (self.keep_last and rest > 1), 1)

    @property
    def total_steps(self) -> int:
        """Return the number of steps in all."""
        return self.epochs * self.steps_per_epoch if self.steps is None else self.steps

    def order(self, seed: int, epoch: int, device: torch.device) -> Tensor:
        """Return the order in which the images of an epoch are seen, (count,): shuffled."""
        return epoch_order(self.count, seed, epoch, device)


@dataclass(frozen=True)
class Sweep(Recipe):
    """How long a fit takes: passes over all images, every one of them, in their order."""

    epochs: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Return the number of batches in a pass; the last may be smaller."""
        return -(-self.count // self.batch_size)

    def order(self, seed: int, epoch: int, device: torch.device) -> Tensor:
        """Return 0 … count - 1."""
        return torch.arange(self.count, device=device)


@lru_cache(maxsize=16)  # as many phases may take turns
def epoch_order(count: int, seed: int, epoch: int, device: torch.device = CPU) -> Tensor:
    """Return the order in which the images of an epoch are seen: a permutation of 0 … count - 1; not to be changed."""
    generator = torch.Generator(device).manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(count, generator=generator, device=device)


class Work(Protocol):
    """What the trainer needs of a phase or a fit."""

    chunk_batches: int

    def advance(self, index: Tensor, batch_size: int, number: int) -> list[Tensor]:
        """Do the steps from `number` on with the images at `index`; return their losses, if there are any."""

    def state(self) -> dict[str, Tensor]:
        """Return all that what comes next depends on."""

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Take what :meth:`state` returned."""

    def result(self) -> dict[str, Tensor]:
        """Return what has been made, keys ``PART/NAME``."""


@dataclass(frozen=True)
class Spec:
    """The description of a phase or a fit that travels to a worker process.

    Attributes
    ----------
    name : str
        Unique within the detector, e.g. ``"ndm_1"``.
    key : str
        Digest of all that the outcome depends on; a checkpoint with another key is refused.
    build : callable
        Makes the phase or fit for a recipe; picklable, called in the process that does it, under its seed.
    seed : int
        Everything random comes from it.
    recipe : Recipe
        Images, batches and length; a `Sweep` for a fit.
    snapshots : int
        If positive, the result of every so many epochs is kept too, as ``NAME.EPOCH.safetensors``.
    threads : int
        Arithmetic threads. It is a constant of the method, never of the machine: sums are rounded in
        an order that depends on it.
    device : str
        Where it is computed.
    """

    name: str
    key: str
    build: Callable[[Recipe], Work]
    seed: int
    recipe: Recipe
    snapshots: int = 0
    threads: int = 1
    device: str = "cpu"

    @property
    def steps(self) -> int:
        """Return the number of steps in all."""
        return self.recipe.total_steps

    def make(self) -> Work:
        """Make the phase or fit, under the random state that there is."""
        return self.build(self.recipe)
