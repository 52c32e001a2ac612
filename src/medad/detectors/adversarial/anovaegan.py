"""AnoVAEGAN: a variational autoencoder whose reconstructions a critic holds against images."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from medad.detectors.adversarial.aae import UnifiedOptions
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.one_network import adam_of
from medad.detectors.contract.options import STANDARD
from medad.detectors.contract.plan import Plan
from medad.errors import check_choice
from medad.networks.baur import BOTTLENECKS, UnifiedVAE, image_critic, to_unit_interval
from medad.networks.vae import sampled
from medad.networks.wasserstein import critic_loss
from medad.training.phase import Chunk, Phase, for_training, gradient_step
from medad.training.spec import Recipe, Spec

CRITIC_STEPS = 5  # for each step of the generator


@dataclass(frozen=True)
class AnoVAEGANOptions(UnifiedOptions):
    """Options of AnoVAEGAN; the defaults are preset ``paper``.

    Attributes
    ----------
    bottleneck : str
        ``"dense"``, a vector of `latent` values; or ``"spatial"``, a map of twice `width` channels (64).
    """

    batch_size: int = 8
    bottleneck: str = "dense"


def make_networks(options: AnoVAEGANOptions) -> tuple[UnifiedVAE, nn.Module]:
    """Return the untrained variational autoencoder and critic."""
    network = UnifiedVAE(options.shape, options.latent, options.dropout, options.bottleneck)
    return network, image_critic(options.shape)


def anovaegan_phase(plan: Plan, recipe: Recipe) -> Phase:
    """Return the phase that trains variational autoencoder and critic.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    """
    options, images = plan.options, plan.images()
    network, critic = make_networks(options)
    networks = for_training({"vae": network, "critic": critic}, plan.device)
    learners = {"vae": network, "generator": network.generator, "critic": critic}
    optimisers = {name: adam_of(options, learner) for name, learner in learners.items()}

    def draw(index: Tensor) -> Chunk:
        x = to_unit_interval(images(index))
        noise = torch.randn(len(x), 2 + CRITIC_STEPS, *network.code, device=x.device)
        return x, noise, torch.rand(len(x), CRITIC_STEPS, device=x.device)

    def step(batch: Chunk) -> Tensor:
        x, noise, share = batch
        loss = gradient_step(optimisers["vae"], lambda: network.loss(x, noise[:, 0]), plan.precision)
        with torch.no_grad():
            posterior = network.posterior(x)  # the encoder rests from here on

        def made(i: int) -> Tensor:
            return network.generate(sampled(*posterior, noise[:, i]))

        gradient_step(optimisers["generator"], lambda: -critic(made(1)).mean(), plan.precision)
        for i, s in enumerate(share.unbind(1)):
            with torch.no_grad():
                fake = made(2 + i)
            gradient_step(optimisers["critic"], partial(critic_loss, critic, x, fake, s), plan.precision)
        return loss

    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(networks, optimisers, draw, step, chunk)


class AnoVAEGAN(Detector):
    """Variational autoencoder, sharpened by a Wasserstein critic of its reconstructions.

    Score: ``a_rec``, the mean of its map, the absolute residual; images are compared in [0, 1].

    Differs from the paper: the gradient's norm is taken over all pixels, where the public code takes it over one image
    axis; the critic's linear layer sees the whole map, where the code's acts at each position; layer norm is over
    channels and positions, with a gain and an offset per channel, the code's over positions with one per position;
    codes are not sampled in scoring; dropout (rate 0.1; the scripts have 0.1 or 0.2) acts on the sampled code and on
    the linear layer after it, not on mean and deviation; weights start as PyTorch has it; the spatial code has as many
    positions as the encoder's last map (8 x 8), the 2018 paper's 16 x 16; 250 epochs instead of a placeholder and early
    stopping; maps are neither cut to positive residuals nor filtered.

    References
    ----------
    Baur, Wiestler, Albarqouni, Navab, Deep autoencoding models for unsupervised anomaly segmentation in brain MR
    images, BrainLes 2018; Baur et al., Medical Image Analysis 2021.
    """

    name = "anovaegan"
    options_type = AnoVAEGANOptions
    meanings = {
        "a_rec": "reconstruction error",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 8, "epochs": 10},
        "tiny": {"width": 4, "steps": 2},
    }

    def __init__(self, options: AnoVAEGANOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("bottleneck", self.options.bottleneck, BOTTLENECKS)

    def build(self) -> dict[str, nn.Module]:
        """Return variational autoencoder and critic."""
        network, critic = make_networks(self.options)
        return {"vae": network, "critic": critic}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one phase."""
        return [[self.spec(plan.normal, self.name, anovaegan_phase, plan.options.recipe(plan.normal.count))]]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the absolute residual and its mean."""
        x = to_unit_interval(x)
        residual = (x - self.folded_["vae"](x)).abs().mean(1)
        score = residual.mean((1, 2))
        return {"a_rec": score, "pred_score": score}, {"a_rec": residual, "anomaly_map": residual}
