"""Methods that train one network with one optimiser: the phase that DDAD's members share, and the detector."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.base import Detector, TrainingData
from medad.detectors.options import Options, TrainingOptions
from medad.training.phase import Chunk, Phase, PhaseSpec, Recipe, adam, descend
from medad.training.pixels import open_pixels


def own_loss(network: Any) -> Callable[..., Tensor]:
    """Return the network's method ``loss``."""
    return network.loss


def images_alone(x: Tensor) -> Chunk:
    """Return what an objective takes that wants the images only."""
    return (x,)


def adam_of(options: TrainingOptions, network: nn.Module) -> Optimizer:
    """Return Adam as `options` say."""
    return adam(network, options.lr, options.weight_decay, (options.beta1, options.beta2))


def network_phase(
    name: str,
    make: Callable[[], nn.Module],
    options: TrainingOptions,
    files: Sequence[Path],
    precision: str,
    device: str,
    rows: Callable[[Tensor], Chunk] = images_alone,
    objective: Callable[[nn.Module], Callable[..., Tensor]] = own_loss,
    optimise: Callable[[Any, nn.Module], Optimizer] = adam_of,
    schedule: Callable[[Optimizer, Recipe], Callable[[int], None] | None] | None = None,
) -> Phase:
    """Return the phase that trains one network on the images of `files`.

    Parameters
    ----------
    name : str
        Of the network.
    make : callable
        Makes it.
    options : TrainingOptions
        The recipe.
    files, precision, device
        As for every phase.
    rows : callable
        Images (n, C, S, S) in [-1, 1] -> what the objective takes, one row an image; all that is random is
        drawn here. By default the images alone.
    objective : callable
        Network -> function of the rows that returns the loss; by default the network's method ``loss``.
    optimise : callable
        Options, network -> its optimiser.
    schedule : callable, optional
        Optimiser, recipe -> :attr:`medad.training.phase.Phase.schedule`, or None.
    """
    images = open_pixels(files, torch.device(device))
    network = make().to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser, recipe = optimise(options, network), options.recipe(len(images))
    loss = objective(network)

    def prepare(index: Tensor) -> Chunk:
        return rows(images(index))

    def step(batch: Chunk) -> Tensor:
        return descend(optimiser, lambda: loss(*batch), precision, images.device)

    chunk = images.batches_at_once(options.batch_size)
    before_step = schedule(optimiser, recipe) if schedule else None
    return Phase({name: network}, {name: optimiser}, recipe, prepare, step, chunk, before_step)


class OneNetworkDetector(Detector):
    """A method with one network, trained on the normal images."""

    options_type: ClassVar[type[Options]] = TrainingOptions

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        raise NotImplementedError

    @classmethod
    def rows(cls, options: Any, x: Tensor) -> Chunk:
        """Return what the objective takes, made of images (n, C, S, S) in [-1, 1]; random numbers are drawn here."""
        return images_alone(x)

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the function of the rows that training makes small."""
        return own_loss(network)

    @classmethod
    def optimise(cls, options: Any, network: nn.Module) -> Optimizer:
        """Return the network's optimiser."""
        return adam_of(options, network)

    @classmethod
    def schedule(cls, options: Any, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None] | None:
        """Return what is called before every step with its number, to set the learning rate; None if it is constant."""
        return None

    def build(self) -> dict[str, nn.Module]:
        """Return the network, under the method's name."""
        return {self.name: self.make(self.options)}

    def stages(self, data: TrainingData, folder: Path) -> list[list[PhaseSpec]]:
        """Return one stage with one phase."""
        o = self.options
        build = partial(
            network_phase,
            self.name,
            partial(self.make, o),
            o,
            data.files[:1],
            self.precision,
            str(self.device),
            partial(self.rows, o),
            partial(self.objective, o),
            self.optimise,
            partial(self.schedule, o),
        )
        return [[self.spec(self.name, build, data.fingerprints[:1], o.recipe(data.counts[0]), o.of_training())]]
