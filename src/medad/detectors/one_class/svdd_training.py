"""What methods on Deep SVDD's network train: their options and the two stages."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Self, cast

from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.contract.one_network import images_alone, network_phase, own_loss
from medad.detectors.contract.options import TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.one_class.codes import codes_of
from medad.detectors.one_class.svdd_networks import SVDD, SVDDAutoencoder, off_zero
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase, set_lr
from medad.training.pixels import Pixels, in_order
from medad.training.spec import Recipe

PRETRAINING = "autoencoder"
RADIUS_FROM_EPOCH = 10


@dataclass(frozen=True)
class SVDDOptions(TrainingOptions):
    """Options of the network and of both stages; the defaults are those of Deep SVDD's authors for CIFAR-10.

    Attributes
    ----------
    width, latent : int
        Channels of the first convolution; length of the code, a multiple of 16.
    milestone : int
        Epoch from which the learning rate is a tenth.
    pretrain_epochs, pretrain_milestone, pretrain_steps : int
        The same for the autoencoder; if given, `pretrain_steps` instead of epochs.
    """

    in_epochs = ("epochs", "milestone", "pretrain_epochs", "pretrain_milestone")

    epochs: int = 150
    batch_size: int = 200
    lr: float = 1e-4
    weight_decay: float = 0.5e-6
    width: int = ranged(32, 1, 64)
    latent: int = ranged(128, 1)
    milestone: int = ranged(50, 0)
    pretrain_epochs: int = ranged(350, 1)
    pretrain_milestone: int = ranged(250, 0)
    pretrain_steps: int | None = ranged(None, 1)

    @property
    def outside(self) -> float | None:
        """The share of the training images that may lie outside of a boundary; None: there is no boundary."""
        return None

    def of_pretraining(self) -> Self:
        """Return the options of the first stage, the same whatever those of the second are."""
        shared = {field.name for field in fields(SVDDOptions)}
        own: dict[str, Any] = {field.name: field.default for field in fields(self) if field.name not in shared}
        first: dict[str, Any] = {
            "epochs": self.pretrain_epochs,
            "milestone": self.pretrain_milestone,
            "steps": self.pretrain_steps,
        }
        return replace(self, **first, **own)


def make_svdd(options: SVDDOptions) -> SVDD:
    """Return an untrained network."""
    return SVDD(options.size, options.channels, options.width, options.latent, options.outside)


def make_autoencoder(options: SVDDOptions) -> SVDDAutoencoder:
    """Return an untrained network with its decoder."""
    return SVDDAutoencoder(make_svdd(options), options.channels, options.latent)


def falling_lr(options: SVDDOptions, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None]:
    """Return what sets the learning rate before a step: a tenth from the milestone on."""

    def schedule(number: int) -> None:
        passed = number // recipe.steps_per_epoch >= options.milestone
        set_lr(optimiser, options.lr * (0.1 if passed else 1.0))

    return schedule


def pretraining_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains the autoencoder.

    Parameters
    ----------
    plan, recipe
        As for every phase, with the options of this stage.
    """
    options = plan.options
    make, schedule = partial(make_autoencoder, options), partial(falling_lr, options)
    phase = network_phase(plan, recipe, PRETRAINING, make, schedule=schedule)
    autoencoder = cast(SVDDAutoencoder, phase.networks[PRETRAINING])
    autoencoder.svdd.scaling.fit(in_order(plan.images(), options.batch_size))
    return phase


def svdd_phase(
    plan: Plan,
    recipe: Recipe,
    name: str,
    samples: Callable[[Pixels, Tensor], Chunk] = images_alone,
    objective: Callable[[nn.Module], Callable[..., Tensor]] = own_loss,
) -> Phase:
    """Return the phase that moves codes by their distance to the centre, which is the mean code before it.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    name : str
        Of the network.
    samples, objective : callable
        See :func:`medad.detectors.contract.one_network.network_phase`.
    """
    options = plan.options
    phase = network_phase(plan, recipe, name, partial(_pretrained, plan), samples, objective)
    network, batches = cast(SVDD, phase.networks[name]), in_order(plan.images(), options.batch_size)
    codes = codes_of(network, lambda x: network.embed(network.scaling(x)), batches)
    network.centre.copy_(off_zero(codes.mean(0)))
    set_rate = falling_lr(options, phase.optimisers[name], recipe)

    def schedule(number: int) -> None:
        set_rate(number)
        network.fits_radius.fill_(number // recipe.steps_per_epoch >= RADIUS_FROM_EPOCH)

    phase.schedule = schedule
    return phase


def _pretrained(plan: Plan) -> SVDD:
    autoencoder = make_autoencoder(plan.options)
    load_networks({PRETRAINING: autoencoder}, load_tensors(plan.finished(PRETRAINING))[0])
    return autoencoder.svdd
