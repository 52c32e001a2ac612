"""Training of an encoder for a frozen GAN, stage 2 of f-AnoGAN (Schlegl et al., Medical Image Analysis 2019)."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from medad.detectors.adversarial.wgan import WGANOptions, make_wgan
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.networks.folding import folded
from medad.networks.wgan import Critic, Encoder
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase, for_training, gradient_step
from medad.training.spec import Recipe

WGAN = "wgan"  # the phase of the GAN
ENCODERS = ("ziz", "izi", "izi_f")
RMSPROP_DECAY = 0.9  # TensorFlow's default, which the authors' code leaves as it is


@dataclass(frozen=True)
class EncoderOptions(WGANOptions):
    """The encoder and its training, beside the GAN's.

    Attributes
    ----------
    encoder : str
        What the encoder learns: ``"ziz"`` the code of a generated image, ``"izi"`` a code from which the image
        is generated, ``"izi_f"`` the same also for the critic's features.
    kappa : float
        Weight of the feature residual, for ``"izi_f"``.
    encoder_steps : int
        Length of the encoder's training.
    encoder_lr : float
        Of RMSprop.
    """

    encoder: str = "izi_f"
    kappa: float = ranged(1.0, 0)
    encoder_steps: int = ranged(50_000, 1)
    encoder_lr: float = ranged(5e-5, 1e-12, 1)

    def encoder_recipe(self, count: int) -> Recipe:
        """Return how long the encoder trains on `count` images."""
        return Recipe(count, self.batch_size, 1, self.encoder_steps)


def make_encoder(options: EncoderOptions) -> Encoder:
    """Return the untrained encoder."""
    return Encoder(options.size, options.channels, options.width, options.latent)


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean squared difference of each row, (n,)."""
    return (a.float() - b.float()).square().flatten(1).mean(1)


def encoder_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains ``encoder`` with the frozen GAN.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    """
    o, images = plan.options, plan.images()
    gan = make_wgan(o)
    load_networks(gan, load_tensors(plan.finished(WGAN))[0])
    generator, critic = (folded(network).to(plan.device) for network in gan.values())
    networks = for_training({"encoder": make_encoder(o)}, plan.device)
    encoder = networks["encoder"]
    on_gpu = images.device.type == "cuda"
    optimiser = torch.optim.RMSprop(encoder.parameters(), o.encoder_lr, RMSPROP_DECAY, capturable=on_gpu)

    def draw(index: Tensor) -> Chunk:
        if o.encoder == "ziz":
            return (torch.randn(len(index), o.latent, device=images.device),)
        return (images(index),)

    def loss(rows: Tensor) -> Tensor:
        return encoder_loss(o, encoder, generator, cast(Critic, critic), rows)

    def step(batch: Chunk) -> Tensor:
        return gradient_step(optimiser, lambda: loss(*batch), plan.precision)

    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(networks, {"encoder": optimiser}, draw, step, chunk)


def encoder_loss(
    options: EncoderOptions, encoder: nn.Module, generator: nn.Module, critic: Critic, rows: Tensor
) -> Tensor:
    """Return what the encoder makes small.

    Parameters
    ----------
    options : EncoderOptions
        With the kind of `encoder` and `kappa`.
    encoder, generator, critic : Module
        E, G and D, the last two frozen.
    rows : Tensor
        For ``"ziz"`` codes z (n, latent): mean (z - E(G(z)))^2. Otherwise images x (n, C, S, S): mean (x - x̂)^2 with
        x̂ = G(E(x)), and for ``"izi_f"`` kappa mean (f(x) - f(x̂))^2 more.
    """
    if options.encoder == "ziz":
        return squared_distance(rows, encoder(generator(rows))).mean()
    x_hat = generator(encoder(rows))
    loss = squared_distance(rows, x_hat).mean()
    if options.encoder == "izi_f":
        loss = loss + options.kappa * squared_distance(critic.features(rows), critic.features(x_hat)).mean()
    return loss
