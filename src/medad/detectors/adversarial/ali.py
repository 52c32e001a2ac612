"""ALI / BiGAN: generator and encoder learned together, against a discriminator of image and code."""

import copy
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from medad.detectors.adversarial.bigan import PairDiscriminator
from medad.detectors.adversarial.gan import GANOptions
from medad.detectors.adversarial.inversion import FeatureOptions, residual_scores
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.networks.adversarial import generated_loss, real_loss
from medad.networks.wgan import Encoder, Generator
from medad.training.average import move_average, newest_share
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step
from medad.training.spec import Recipe, Spec

LAST = "_last"  # ends the names of the networks as training leaves them, whose averages score


@dataclass(frozen=True)
class ALIOptions(FeatureOptions, GANOptions):
    """Options of ALI; the defaults are preset ``paper``.

    Attributes
    ----------
    average : float
        Decay of the exponential average of the weights over steps, which scores.
    """

    latent: int = 200
    batch_size: int = 100
    steps: int = 50_000
    lr: float = 1e-5
    beta1: float = 0.5
    beta2: float = 0.999
    average: float = ranged(0.999, 0, 1 - 1e-9)


class ALI(Detector):
    """Residual of images and of discriminator features against G(E(x)), of a GAN that learns its encoder, too.

    The discriminator tells pairs (x, E(x)) from pairs (G(z), z); generator G and encoder E learn to make them alike.
    Averages of all weights over the steps score.

    Scores: ``pred_score`` = 0.9 sum|x - x̂| + 0.1 sum|f(x, E(x)) - f(x̂, E(x))| with x̂ = G(E(x)) and f the
    discriminator's joint layer; ``a_rec``, the mean absolute residual; ``feature_residual``, the mean absolute
    difference of the features. The map is the absolute residual.

    Differs from the paper: the recipe and the score are those of Zenati et al.'s code, whose encoder gives one code,
    not a distribution (BiGAN), as it is here; its networks are for 28 x 28 pixels: generator, encoder and the
    discriminator's image branch are f-AnoGAN's, the latter with layer norm, also at its end, and dropout after it
    only; both networks' steps see the same images and codes; weights start as f-AnoGAN's; the average forgets the
    start sooner; 50,000 steps, since no length is given.

    References
    ----------
    Dumoulin et al., ICLR 2017; Donahue, Krähenbühl, Darrell, ICLR 2017; Zenati et al., arXiv 1802.06222.
    """

    name = "ali"
    options_type = ALIOptions
    meanings = {
        "a_rec": "difference between image and reconstruction",
        "feature_residual": "the same in the discriminator's features",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": {"holdout": 0.1},
        "quick": {"width": 8, "batch_size": 32, "steps": 450, "lr": 5e-4},
        "tiny": {"width": 1, "latent": 4, "batch_size": 4, "steps": 2},
    }

    def build(self) -> dict[str, nn.Module]:
        """Return ``encoder``, ``generator`` and ``discriminator``, and each as training left it."""
        averages = make_bigan(self.options)
        return averages | {name + LAST: network for name, network in make_bigan(self.options).items()}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one phase."""
        return [[self.spec(plan.normal, self.name, bigan_phase, plan.options.gan_recipe(plan.normal.count))]]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the scores and the absolute residual of a batch."""
        features = cast(PairDiscriminator, self.folded_["discriminator"]).features
        z = self.folded_["encoder"](x)
        x_hat = self.folded_["generator"](z)
        return residual_scores(x, x_hat, features(x, z), features(x_hat, z), self.options.feature_weight)


def make_bigan(options: ALIOptions) -> dict[str, nn.Module]:
    """Return the untrained ``encoder``, ``generator`` and ``discriminator``."""
    o = options
    return {
        "encoder": Encoder(o.size, o.channels, o.width, o.latent, bounded=False),
        "generator": Generator(o.size, o.channels, o.width, o.latent),
        "discriminator": PairDiscriminator(o.size, o.channels, o.width, o.latent),
    }


def bigan_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains the three networks and their averages; the loss shown is the discriminator's.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    """
    o, images = plan.options, plan.images()
    networks = for_training(make_bigan(o), plan.device)
    averages = copy.deepcopy(networks)
    encoder, generator, discriminator = networks.values()
    optimisers = {
        "makers": adam(nn.ModuleList([encoder, generator]), o.lr, betas=(o.beta1, o.beta2)),
        "discriminator": adam(discriminator, o.lr, betas=(o.beta1, o.beta2)),
    }
    weight = torch.ones((), device=images.device)  # of the newest weights in the averages

    def schedule(number: int) -> None:
        weight.fill_(newest_share(o.average, number))

    def draw(index: Tensor) -> Chunk:
        return images(index), torch.randn(len(index), o.latent, device=images.device)

    def told_apart(x: Tensor, z: Tensor) -> Tensor:
        with torch.no_grad():
            code, fake = encoder(x), generator(z)
        return real_loss(discriminator(x, code)) + generated_loss(discriminator(fake, z))

    def confused(x: Tensor, z: Tensor) -> Tensor:
        return generated_loss(discriminator(x, encoder(x))) + real_loss(discriminator(generator(z), z))

    def step(batch: Chunk) -> Tensor:
        loss = gradient_step(optimisers["discriminator"], lambda: told_apart(*batch), plan.precision)
        gradient_step(optimisers["makers"], lambda: confused(*batch), plan.precision)
        for name, network in networks.items():
            move_average(averages[name], network, weight)
        return loss

    kept = averages | {name + LAST: network for name, network in networks.items()}
    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(kept, optimisers, draw, step, chunk, schedule)
