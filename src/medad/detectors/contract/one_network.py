"""Methods that train one network with one optimiser: the phase that DDAD's members share, and the detector."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.options import Options, TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.training.average import averaged
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step
from medad.training.pixels import Pixels
from medad.training.spec import Recipe, Spec


def own_loss(network: Any) -> Callable[..., Tensor]:
    """Return the network's method ``loss``."""
    return network.loss


def images_alone(images: Pixels, index: Tensor) -> Chunk:
    """Return what an objective takes that wants the images only."""
    return (images(index),)


def adam_of(options: TrainingOptions, network: nn.Module) -> Optimizer:
    """Return Adam as `options` say."""
    return adam(network, options.lr, options.weight_decay, (options.beta1, options.beta2))


def network_phase(
    plan: Plan,
    recipe: Recipe,
    name: str,
    make: Callable[[], nn.Module],
    samples: Callable[[Pixels, Tensor], Chunk] = images_alone,
    objective: Callable[[nn.Module], Callable[..., Tensor]] = own_loss,
    optimise: Callable[[Any, nn.Module], Optimizer] = adam_of,
    schedule: Callable[[Optimizer, Recipe], Callable[[int], None] | None] | None = None,
    average: float = 0.0,
) -> Phase:
    """Return the phase that trains one network on the images of `plan`.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    name : str
        Of the network.
    make : callable
        Makes it.
    samples : callable
        All images, indices (n,) of those of some batches -> what the objective takes, n rows; all that is random is
        drawn here. By default the images alone.
    objective : callable
        Network -> function of the samples that returns the loss; by default the network's method ``loss``.
    optimise : callable
        Options, network -> its optimiser.
    schedule : callable, optional
        Optimiser, recipe -> :attr:`medad.training.phase.Phase.schedule`, or None.
    average : float
        Decay of an exponential average of the weights over the steps, which is then the result; the last weights stay
        beside it as ``NAME_last``. 0 for none.
    """
    images = plan.images()
    network = for_training({name: make()}, plan.device)[name]
    optimiser = optimise(plan.options, network)
    loss = objective(network)

    def step(batch: Chunk) -> Tensor:
        return gradient_step(optimiser, lambda: loss(*batch), plan.precision)

    chunk = images.batches_at_once(recipe.batch_size)
    before_step = schedule(optimiser, recipe) if schedule else None
    phase = Phase({name: network}, {name: optimiser}, partial(samples, images), step, chunk, before_step)
    return averaged(phase, name, average) if average else phase


class OneNetworkDetector(Detector):
    """A method with one network, trained on the normal images."""

    options_type: ClassVar[type[Options]] = TrainingOptions

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        raise NotImplementedError

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return what the objective takes: n rows made of ``images(index)``, (n, C, S, S) in [-1, 1], or of others too.

        Random numbers are drawn here.
        """
        return images_alone(images, index)

    @classmethod
    def drawing(cls, plan: Plan) -> Callable[[Pixels, Tensor], Chunk]:
        """Return what makes the samples of the images that the training looks at: :meth:`samples` under its options."""
        return partial(cls.samples, plan.options)

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the function of the samples that training makes small."""
        return own_loss(network)

    @classmethod
    def optimise(cls, options: Any, network: nn.Module) -> Optimizer:
        """Return the network's optimiser."""
        return adam_of(options, network)

    @classmethod
    def schedule(cls, options: Any, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None] | None:
        """Return what is called before every step with its number, to set the learning rate; None if it is constant."""
        return None

    @classmethod
    def seen(cls, plan: Plan) -> Plan:
        """Return the part of the training that :meth:`samples` looks at, from the first normal image on.

        An epoch is a pass over the normal images in any case.
        """
        return plan.normal

    def build(self) -> dict[str, nn.Module]:
        """Return the network, under the method's name."""
        return {self.name: self.make(self.options)}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one phase."""
        seen = self.seen(plan)
        o = seen.options
        build = partial(
            network_phase,
            name=self.name,
            make=partial(self.make, o),
            samples=self.drawing(seen),
            objective=partial(self.objective, o),
            optimise=self.optimise,
            schedule=partial(self.schedule, o),
        )
        return [[self.spec(seen, self.name, build, o.recipe(plan.normal.count))]]
