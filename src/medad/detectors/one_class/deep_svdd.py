"""Deep SVDD as a detector: an encoder that maps normal images close to one point."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.one_class.codes import codes_of
from medad.detectors.one_class.svdd_networks import CODE_SIDE, SVDD, SVDDAutoencoder, off_zero
from medad.errors import OptionError, check_choice
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Phase, set_lr
from medad.training.pixels import in_order
from medad.training.spec import Recipe, Spec

PRETRAINING = "autoencoder"
BOUNDARIES = ("one_class", "soft")
RADIUS_FROM_EPOCH = 10


@dataclass(frozen=True)
class DeepSVDDOptions(TrainingOptions):
    """Options of Deep SVDD; the defaults are the authors' of CIFAR-10.

    Attributes
    ----------
    width, latent : int
        Channels of the first convolution; length of the code, a multiple of 16.
    boundary : str
        ``"one_class"``: the mean squared distance to the centre is made small; ``"soft"``: a sphere outside of
        which only a share `nu` of the normal images lies.
    nu : float
        That share.
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
    boundary: str = "one_class"
    nu: float = ranged(0.1, 1e-3, 1)
    milestone: int = ranged(50, 0)
    pretrain_epochs: int = ranged(350, 1)
    pretrain_milestone: int = ranged(250, 0)
    pretrain_steps: int | None = ranged(None, 1)

    def of_pretraining(self) -> "DeepSVDDOptions":
        """Return the options of the first stage, the same whatever those of the second are."""
        return replace(
            self,
            epochs=self.pretrain_epochs,
            milestone=self.pretrain_milestone,
            steps=self.pretrain_steps,
            boundary=DeepSVDDOptions.boundary,
            nu=DeepSVDDOptions.nu,
        )


def make_svdd(options: DeepSVDDOptions) -> SVDD:
    """Return an untrained network."""
    nu = options.nu if options.boundary == "soft" else None
    return SVDD(options.size, options.channels, options.width, options.latent, nu)


def make_autoencoder(options: DeepSVDDOptions) -> SVDDAutoencoder:
    """Return an untrained network with its decoder."""
    return SVDDAutoencoder(make_svdd(options), options.channels, options.latent)


def falling_lr(options: DeepSVDDOptions, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None]:
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


def svdd_phase(plan: Plan, recipe: Recipe, name: str) -> Phase:
    """Return the phase that pulls codes to the centre, which is the mean code before it.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    name : str
        Of the network.
    """
    options = plan.options
    phase = network_phase(plan, recipe, name, partial(_pretrained, plan))
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


class DeepSVDD(Detector):
    """Squared distance of an image's code to the centre of the normal images' codes.

    Stage 1 trains an autoencoder, stage 2 goes on with its encoder and pulls the codes of the normal images to
    their mean before it, or into a sphere around that (`boundary` ``"soft"``).

    Score: ``pred_score``, the squared distance, with a soft boundary minus R^2. There are no maps.

    Differs from the paper: images of more than 32 pixels have a last map of 8 x 8, reached with further levels above
    64 pixels, and the decoder begins with the code's map of 4 x 4 repeated to that side; an image without contrast is
    normalised to zeros.

    References
    ----------
    Ruff et al., Deep one-class classification, ICML 2018; lukasruff/Deep-SVDD-PyTorch.
    """

    name = "deep_svdd"
    options_type = DeepSVDDOptions
    meanings = {}
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {
            "width": 8,
            "batch_size": 50,
            "lr": 1e-3,
            "pretrain_epochs": 30,
            "pretrain_milestone": 20,
            "epochs": 20,
            "milestone": 10,
        },
        "tiny": {"width": 2, "latent": 16, "steps": 2, "pretrain_steps": 2},
    }

    def __init__(self, options: DeepSVDDOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        o = self.options
        check_choice("boundary", o.boundary, BOUNDARIES)
        if o.latent % CODE_SIDE**2:
            raise OptionError("latent", f"choose a multiple of {CODE_SIDE**2}", o.latent)

    def build(self) -> dict[str, nn.Module]:
        """Return the network; the decoder is of no use any more."""
        return {self.name: make_svdd(self.options)}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the autoencoder's phase, then that of Deep SVDD."""
        plan = plan.normal
        first = plan.with_options(plan.options.of_pretraining())
        pulling = partial(svdd_phase, name=self.name)
        return [
            [self.spec(first, PRETRAINING, pretraining_phase, first.options.recipe(first.count))],
            [self.spec(plan, self.name, pulling, plan.options.recipe(plan.count))],
        ]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the distances."""
        return {"pred_score": cast(SVDD, self.folded_[self.name]).score(x)}, {}
