"""GANomaly: an image is abnormal if the code of its reconstruction is not its own."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.adversarial.ganomaly_networks import (
    BASE_WIDTH,
    Cycle,
    Discriminator,
    Generator,
    medianomaly_networks,
    official_networks,
    with_own_statistics,
)
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.one_network import adam_of
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.errors import OptionError, check_choice
from medad.networks.adversarial import generated_loss, real_loss
from medad.training.phase import Chunk, Phase, for_training, gradient_step
from medad.training.spec import Recipe, Spec

W_ADV, W_REC, W_ENC = 1.0, 50.0, 1.0
VANISHED = 1e-5  # a discriminator with a smaller loss teaches nothing
BN_MODES = ("eval", "batch")


@dataclass(frozen=True)
class GANomalyOptions(TrainingOptions):
    """Options of GANomaly; the defaults are preset ``paper``.

    Attributes
    ----------
    form : str
        ``"official"`` (Akcay et al.) or ``"medianomaly"`` (Cai et al. 2025): the networks, the image term of the
        loss, how often the discriminator is looked at, and what the options that are not given are.
    width : int
        Channels of the first convolution; form ``"medianomaly"`` has 16 and takes multiples of it.
    hidden : int
        Size of the linear layers; form ``"medianomaly"`` only.
    latent : int
        Size of the code.
    bn_mode : str
        Batch norm in scoring: ``"eval"``, the running statistics of training; or ``"batch"``, those of the image
        alone, a batch of one.
    """

    scoring: ClassVar[frozenset[str]] = TrainingOptions.scoring | {"bn_mode"}

    form: str = "official"
    width: int = ranged(64, 1, 64)
    hidden: int = ranged(1024, 1)
    latent: int = ranged(100, 1)
    epochs: int = 15
    keep_last: bool = False
    lr: float = 2e-4
    beta1: float = 0.5
    bn_mode: str = "eval"


def make_networks(options: GANomalyOptions) -> tuple[Generator, Discriminator]:
    """Return the untrained generator and discriminator."""
    o = options
    if o.form == "medianomaly":
        return medianomaly_networks(o.size, o.channels, o.width, o.hidden, o.latent)
    return official_networks(o.size, o.channels, o.width, o.latent)


def generator_loss(form: str, discriminator: Discriminator, x: Tensor, out: Cycle) -> Tensor:
    """Return mean (f(x) - f(x_hat))^2 + 50 mean |x - x_hat| + mean (z - z_hat)^2; MedIAnomaly squares the second."""
    with torch.no_grad():
        real = discriminator.features(x)
    adversarial = F.mse_loss(discriminator.features(out.mean).float(), real.float())
    image = (F.mse_loss if form == "medianomaly" else F.l1_loss)(out.mean, x)
    return W_ADV * adversarial + W_REC * image + W_ENC * F.mse_loss(out.z_hat, out.z)


def discriminator_loss(discriminator: Discriminator, x: Tensor, fake: Tensor) -> Tensor:
    """Return half the cross-entropy of images as images plus half that of reconstructions as none."""
    return 0.5 * (real_loss(discriminator(x)) + generated_loss(discriminator(fake)))


def restarting(discriminator: Discriminator, every: int) -> tuple[Callable[[int], None], Callable[[Tensor], None]]:
    """Return what lets a discriminator that has won begin again.

    Its weights at the time of this call are those that it gets back, so that nothing is drawn in training: they
    depend on the phase's seed only, and are the same when training is resumed. Optimiser and running
    statistics go on.

    Parameters
    ----------
    discriminator : Discriminator
        It begins again if its mean loss in `every` steps is below 1e-5.
    every : int
        Number of steps.

    Returns
    -------
    schedule : callable
        To be called with the number of each step before it.
    look : callable
        To be called with the discriminator's loss, (), after its step.
    """
    weights = list(discriminator.parameters())
    first = [weight.detach().clone() for weight in weights]
    due = torch.zeros((), dtype=torch.bool, device=weights[0].device)

    def schedule(number: int) -> None:
        due.fill_((number + 1) % every == 0)

    @torch.no_grad()
    def look(loss: Tensor) -> None:
        total = discriminator.loss_sum.add_(loss)
        won = due & (total < VANISHED * every)
        for now, then in zip(weights, first, strict=True):
            now.copy_(torch.where(won, then, now))
        total.mul_(~due)

    return schedule, look


def ganomaly_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains generator and discriminator.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    """
    options, images = plan.options, plan.images()
    generator, discriminator = make_networks(options)
    networks = for_training({"generator": generator, "discriminator": discriminator}, plan.device)
    optimisers = {name: adam_of(options, network) for name, network in networks.items()}
    every = recipe.steps_per_epoch if options.form == "medianomaly" else 1
    schedule, look = restarting(discriminator, every)

    def draw(index: Tensor) -> Chunk:
        return (images(index),)

    def step(batch: Chunk) -> Tensor:
        (x,) = batch
        fake = torch.empty_like(x)

        def objective() -> Tensor:
            out = generator(x)
            fake.copy_(out.mean.detach())  # both networks learn from the same reconstruction
            return generator_loss(options.form, discriminator, x, out)

        loss = gradient_step(optimisers["generator"], objective, plan.precision)
        verdict = partial(discriminator_loss, discriminator, x, fake)
        look(gradient_step(optimisers["discriminator"], verdict, plan.precision))
        return loss

    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(networks, optimisers, draw, step, chunk, schedule)


class GANomaly(Detector):
    """Encoder, decoder and second encoder against a discriminator.

    Scores: ``latent``, the mean squared difference between the codes of image and reconstruction, which is
    ``pred_score``; ``a_rec``, the mean of the residual map (x - x_hat)^2. The method has no map of its own: the
    residual, which is not what ``pred_score`` measures, is given as ``anomaly_map``.

    Differs from the paper: batch norm scores with the statistics of training (`bn_mode`; the public codes score in
    training mode, the authors' with the statistics of the test batch, MedIAnomaly's with those of the image, which
    can make a difference of many points);
    a discriminator that has won gets its own first weights back, linear ones too, instead of new ones; the last
    epoch is the result, where the authors keep the best on the test set; above 64 pixels channels stop at
    512. Form ``"medianomaly"`` has 250 epochs for all sets (its authors 600 for one).

    References
    ----------
    Akcay, Atapour-Abarghouei, Breckon, GANomaly, ACCV 2018; Cai et al., Medical Image Analysis 2025.
    """

    name = "ganomaly"
    options_type = GANomalyOptions
    meanings = {
        "latent": "difference between the codes of image and reconstruction",
        "a_rec": "reconstruction error",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 16, "epochs": 60},
        "tiny": {"width": 16, "hidden": 32, "steps": 2},
    }
    forms = {
        "official": {},
        "medianomaly": {"width": 16, "latent": 16, "lr": 1e-3, "beta1": 0.9, "epochs": 250, "keep_last": True},
    }

    def __init__(self, options: GANomalyOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        o = self.options
        check_choice("bn_mode", o.bn_mode, BN_MODES)
        if o.form == "medianomaly" and o.width % BASE_WIDTH:
            raise OptionError("width", f"form medianomaly takes multiples of {BASE_WIDTH}", o.width)

    def build(self) -> dict[str, nn.Module]:
        """Return generator and discriminator."""
        generator, discriminator = make_networks(self.options)
        return {"generator": generator, "discriminator": discriminator}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one phase."""
        return [[self.spec(plan.normal, self.name, ganomaly_phase, plan.options.recipe(plan.normal.count))]]

    def load_state(self, tensors: Mapping[str, Tensor], unlabeled: bool = False) -> None:
        """Take fitted weights, for `bn_mode` ``"batch"`` with norms that are not merged into other layers."""
        super().load_state(tensors, unlabeled)
        if self.options.bn_mode == "batch":
            self.folded_["generator"] = with_own_statistics(copy.deepcopy(self.networks_["generator"]))

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the difference of the codes, and the residual with its mean."""
        out = self.folded_["generator"](x)
        residual = (x - out.mean).square().mean(1)
        scores = {"latent": (out.z - out.z_hat).square().mean(1), "a_rec": residual.mean((1, 2))}
        return scores | {"pred_score": scores["latent"]}, {"a_rec": residual, "anomaly_map": residual}
