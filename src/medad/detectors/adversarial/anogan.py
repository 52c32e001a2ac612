"""AnoGAN: a GAN of normal images, and a search for the code of an image."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from medad.detectors.adversarial.dcgan import Discriminator, Generator
from medad.detectors.adversarial.gan import GANOptions
from medad.detectors.adversarial.inversion import SearchOptions, invert, residual_scores, starting_points
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import Plan
from medad.networks.adversarial import generated_loss, real_loss
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step
from medad.training.spec import Recipe, Spec


@dataclass(frozen=True)
class AnoGANOptions(SearchOptions, GANOptions):
    """Options of AnoGAN; the defaults are preset ``paper``."""

    latent: int = 100
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999


class AnoGAN(Detector):
    """Residual against the generated image that a search over the codes of a DCGAN finds.

    500 steps of Adam look for the code z with the least (1 - lambda) sum|x - G(z)| + lambda sum|f(x) - f(G(z))|, f
    the last hidden layer of the discriminator.

    Scores: ``pred_score``, that least sum; ``a_rec``, the mean absolute residual; ``feature_residual``, the mean
    absolute difference of the features. The map is the absolute residual.

    Differs from the paper: the DCGAN is Radford et al.'s (codes of 100 values, start from N(0, 0.02), with `width`
    below 64 from a wider one), trained for 20,000 steps, since the paper gives no length that fits other data;
    optimiser and rates of the search are those of Zenati et al.'s code, as shares of its length; its starting points
    are the same for all images, and the score is that of the best of `restarts`.

    References
    ----------
    Schlegl, Seeböck, Waldstein, Schmidt-Erfurth, Langs, IPMI 2017; Zenati et al., arXiv 1802.06222.
    """

    name = "anogan"
    options_type = AnoGANOptions
    meanings = {
        "a_rec": "difference from the generated image that is most like it",
        "feature_residual": "the same in the discriminator's features",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": {"holdout": 0.1},
        "quick": {"width": 16, "steps": 800, "lr": 1e-3, "search_steps": 100},
        "tiny": {"width": 1, "latent": 4, "batch_size": 4, "steps": 2, "search_steps": 2},
    }

    def build(self) -> dict[str, nn.Module]:
        """Return ``generator`` and ``discriminator``."""
        return make_dcgan(self.options)

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one phase."""
        return [[self.spec(plan.normal, "dcgan", dcgan_phase, plan.options.gan_recipe(plan.normal.count))]]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Search, and return the scores and the absolute residual of a batch."""
        o, generator = self.options, self.folded_["generator"]
        features = cast(Discriminator, self.folded_["discriminator"]).features
        starts = starting_points(o, o.latent, self.seed, x.device)
        x_hat = invert(x, generator, features, starts, o.search_steps, o.feature_weight)
        return residual_scores(x, x_hat, features(x), features(x_hat), o.feature_weight)


def make_dcgan(options: AnoGANOptions) -> dict[str, nn.Module]:
    """Return the untrained ``generator`` and ``discriminator``."""
    o = options
    return {
        "generator": Generator(o.size, o.channels, o.width, o.latent),
        "discriminator": Discriminator(o.size, o.channels, o.width),
    }


def dcgan_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains ``generator`` and ``discriminator``; the loss shown is the discriminator's.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    """
    o, images = plan.options, plan.images()
    networks = for_training(make_dcgan(o), plan.device)
    generator, discriminator = networks.values()
    optimisers = {name: adam(network, o.lr, betas=(o.beta1, o.beta2)) for name, network in networks.items()}

    def draw(index: Tensor) -> Chunk:
        return images(index), torch.randn(len(index), o.latent, device=images.device)

    def told_apart(x: Tensor, z: Tensor) -> Tensor:
        with torch.no_grad():
            fake = generator(z)
        return real_loss(discriminator(x)) + generated_loss(discriminator(fake))

    def confused(z: Tensor) -> Tensor:
        return real_loss(discriminator(generator(z)))

    def step(batch: Chunk) -> Tensor:
        loss = gradient_step(optimisers["discriminator"], lambda: told_apart(*batch), plan.precision)
        gradient_step(optimisers["generator"], lambda: confused(batch[1]), plan.precision)
        return loss

    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(networks, optimisers, draw, step, chunk)
