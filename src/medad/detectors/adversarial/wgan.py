"""Training of a WGAN with gradient penalty, stage 1 of f-AnoGAN (Gulrajani et al., NeurIPS 2017)."""

from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from medad.detectors.adversarial.gan import GANOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.networks.wasserstein import critic_loss
from medad.networks.wgan import Critic, Generator
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step
from medad.training.spec import Recipe


@dataclass(frozen=True)
class WGANOptions(GANOptions):
    """The GAN and its training; the defaults are f-AnoGAN's code, but for the length.

    Attributes
    ----------
    critic_steps : int
        Steps of the critic, each with images of its own, before one of the generator.
    """

    critic_steps: int = ranged(5, 1)

    def of_wgan(self) -> dict[str, Any]:
        """Return the options on which the GAN's weights depend."""
        names = {field.name for field in fields(WGANOptions)} - self.scoring
        return {name: value for name, value in asdict(self).items() if name in names}


def make_wgan(options: WGANOptions) -> dict[str, nn.Module]:
    """Return the untrained ``generator`` and ``critic``."""
    o = options
    return {
        "generator": Generator(o.size, o.channels, o.width, o.latent),
        "critic": Critic(o.size, o.channels, o.width),
    }


def wgan_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains ``generator`` and ``critic``; the loss shown is the critic's.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    """
    o, images = plan.options, plan.images()
    networks = for_training(make_wgan(o), plan.device)
    generator, critic = networks.values()
    optimisers = {name: adam(network, o.lr, betas=(o.beta1, o.beta2)) for name, network in networks.items()}

    def draw(index: Tensor) -> Chunk:
        count, further = len(index), o.critic_steps - 1
        others = torch.randint(recipe.count, (count, further), device=images.device)
        real = images(torch.cat([index[:, None], others], 1).flatten())
        codes = torch.randn(count, o.critic_steps + 1, o.latent, device=images.device)
        return real.unflatten(0, (count, -1)), codes, torch.rand(count, o.critic_steps, device=images.device)

    def criticised(real: Tensor, codes: Tensor, share: Tensor) -> Tensor:
        with torch.no_grad():
            fake = generator(codes)
        return critic_loss(critic, real, fake, share)

    def step(batch: Chunk) -> Tensor:
        real, codes, share = (rows.unbind(1) for rows in batch)
        for rows in zip(real, codes, share, strict=False):  # the last codes are left for the generator
            loss = gradient_step(optimisers["critic"], partial(criticised, *rows), plan.precision)
        gradient_step(optimisers["generator"], lambda: -critic(generator(codes[-1])).mean(), plan.precision)
        return loss

    chunk = images.batches_at_once(o.batch_size * o.critic_steps)
    return Phase(networks, optimisers, draw, step, chunk)
