"""Deep SVDD as a detector: an encoder that maps normal images close to one point."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medad.detectors.base import Detector, TrainingData
from medad.detectors.one_class import codes_of, in_order
from medad.detectors.one_network import network_phase
from medad.detectors.options import STANDARD, TrainingOptions
from medad.errors import OptionError, check_choice
from medad.networks.svdd import CODE_SIDE, SVDD, SVDDAutoencoder, off_zero
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.course import finished_path
from medad.training.phase import Phase, PhaseSpec, Recipe, set_lr
from medad.training.pixels import open_pixels

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
    width: int = 32
    latent: int = 128
    boundary: str = "one_class"
    nu: float = 0.1
    milestone: int = 50
    pretrain_epochs: int = 350
    pretrain_milestone: int = 250
    pretrain_steps: int | None = None

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


def pretraining_phase(options: DeepSVDDOptions, files: tuple[Path, ...], precision: str, device: str) -> Phase:
    """Return the phase that trains the autoencoder.

    Parameters
    ----------
    options : DeepSVDDOptions
        Those of this stage.
    files, precision, device
        As for every phase.
    """
    make = partial(make_autoencoder, options)
    phase = network_phase(PRETRAINING, make, options, files, precision, device, schedule=partial(falling_lr, options))
    autoencoder = cast(SVDDAutoencoder, phase.networks[PRETRAINING])
    images = open_pixels(files, torch.device(device))
    autoencoder.svdd.scaling.fit(in_order(images, options.batch_size))
    return phase


def svdd_phase(
    name: str, options: DeepSVDDOptions, pretrained: Path, files: tuple[Path, ...], precision: str, device: str
) -> Phase:
    """Return the phase that pulls codes to the centre, which is the mean code before it.

    Parameters
    ----------
    name : str
        Of the network.
    options : DeepSVDDOptions
        The recipe.
    pretrained : Path
        Weights of the autoencoder.
    files, precision, device
        As for every phase.
    """
    phase = network_phase(name, partial(_pretrained, options, pretrained), options, files, precision, device)
    network, images = cast(SVDD, phase.networks[name]), open_pixels(files, torch.device(device))
    codes = codes_of(network, lambda x: network.embed(network.scaling(x)), in_order(images, options.batch_size))
    network.centre.copy_(off_zero(codes.mean(0)))
    set_rate = falling_lr(options, phase.optimisers[name], phase.recipe)

    def schedule(number: int) -> None:
        set_rate(number)
        network.fits_radius.fill_(number // phase.recipe.steps_per_epoch >= RADIUS_FROM_EPOCH)

    phase.schedule = schedule
    return phase


def _pretrained(options: DeepSVDDOptions, path: Path) -> SVDD:
    autoencoder = make_autoencoder(options)
    load_networks({PRETRAINING: autoencoder}, load_tensors(path)[0])
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

    def stages(self, data: TrainingData, folder: Path) -> list[list[PhaseSpec]]:
        """Return the autoencoder's phase, then that of Deep SVDD."""
        where = (data.files[:1], self.precision, str(self.device))
        first = self.options.of_pretraining()
        pretraining = partial(pretraining_phase, first, *where)
        pulling = partial(svdd_phase, self.name, self.options, finished_path(folder, PRETRAINING), *where)
        return [
            [self._spec(PRETRAINING, pretraining, first, data)],
            [self._spec(self.name, pulling, self.options, data)],
        ]

    def _spec(self, name: str, build: Any, options: DeepSVDDOptions, data: TrainingData) -> PhaseSpec:
        recipe = options.recipe(data.counts[0])
        return self.spec(name, build, data.fingerprints[:1], recipe, options.of_training())

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the distances."""
        return {"pred_score": cast(SVDD, self.folded_[self.name]).score(x)}, {}
