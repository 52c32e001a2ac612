"""AAE: an autoencoder whose codes a critic drives towards a normal distribution."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.one_network import adam_of
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.networks.baur import Shape, UnifiedAE, latent_critic, to_unit_interval
from medad.networks.wasserstein import critic_loss
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase, for_training, gradient_step
from medad.training.spec import Recipe, Spec

CRITIC_STEPS = 20  # for each step of the encoder
CRITIC_HIDDEN = {False: (50, 50), True: (400, 200)}  # by `constrained`


@dataclass(frozen=True)
class UnifiedOptions(TrainingOptions):
    """Options of the methods on the unified network of Baur et al.

    Attributes
    ----------
    width : int
        Channels of the first convolution.
    latent : int
        Size of the code.
    dropout : float
        Share of the code's values, and of those after the decoder's linear layer, dropped in training.
    """

    width: int = ranged(32, 1, 64)
    latent: int = ranged(128, 1)
    dropout: float = ranged(0.1, 0, 0.9)
    lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.9

    @property
    def shape(self) -> Shape:
        """Return what the network is made for."""
        return Shape(self.size, self.channels, self.width)


@dataclass(frozen=True)
class AAEOptions(UnifiedOptions):
    """Options of AAE; the defaults are preset ``paper``.

    Attributes
    ----------
    constrained : bool
        Also ask that a reconstruction has the code of its image (Chen and Konukoglu 2018), with the larger
        critic of their code.
    warm_up : int
        Number of epochs, among the `epochs`, in which every batch is reconstructed 20 times instead of once.
    """

    in_epochs = ("epochs", "warm_up")

    batch_size: int = 128
    constrained: bool = False
    warm_up: int = ranged(6, 0)


def make_networks(options: AAEOptions) -> tuple[UnifiedAE, nn.Module]:
    """Return the untrained autoencoder and critic."""
    network = UnifiedAE(options.shape, options.latent, options.dropout)
    return network, latent_critic(options.latent, *CRITIC_HIDDEN[options.constrained])


def aae_phase(plan: Plan, recipe: Recipe, repeats: int = 1, start: str | None = None) -> Phase:
    """Return the phase that trains autoencoder and critic.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    repeats : int
        Steps of the autoencoder with each batch.
    start : str or None
        Phase whose networks to go on from.
    """
    options, images = plan.options, plan.images()
    network, critic = make_networks(options)
    networks = for_training({"aae": network, "critic": critic}, plan.device)
    if start is not None:
        load_networks(networks, load_tensors(plan.finished(start))[0])
    learners = networks | {"encoder": network.encoder}
    optimisers = {name: adam_of(options, learner) for name, learner in learners.items()}
    loss_of = network.constrained_loss if options.constrained else network.loss

    def draw(index: Tensor) -> Chunk:
        x = to_unit_interval(images(index))
        prior = torch.randn(len(x), CRITIC_STEPS, options.latent, device=x.device)
        return x, prior, torch.rand(len(x), CRITIC_STEPS, device=x.device)

    def step(batch: Chunk) -> Tensor:
        x, prior, share = batch
        for _ in range(repeats):
            loss = gradient_step(optimisers["aae"], partial(loss_of, x), plan.precision)
        with torch.no_grad():
            z = network.encode(x)  # the same for all steps of the critic: the encoder rests
        for p, s in zip(prior.unbind(1), share.unbind(1), strict=True):
            gradient_step(optimisers["critic"], partial(critic_loss, critic, p, z, s), plan.precision)
        gradient_step(optimisers["encoder"], lambda: -critic(network.encode(x)).mean(), plan.precision)
        return loss

    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(networks, optimisers, draw, step, chunk)


class AAE(Detector):
    """Autoencoder whose codes, seen by a Wasserstein critic, are to be normally distributed.

    Score: ``a_rec``, the mean squared residual. Its map is the absolute residual, mean over channels;
    images are compared in [0, 1].

    Differs from the paper: the network is the unified one of Baur et al., not Makhzani's; the critic's
    gradient is penalised between prior and codes, where the public code leaves that segment; the critic's 20
    steps of a batch see the same codes, and dropout (rate 0.1 of the AAE script, elsewhere 0.2) only what the
    decoder makes of them; the encoder's adversarial step moves its linear layer too; Adam starts anew after the
    warm-up; 250 epochs instead of a placeholder and early stopping; maps are neither cut to positive
    residuals nor filtered; weights start as PyTorch has it, and so do batch norms. With `constrained` the network
    stays this one, Chen's critic and constraint are added.

    References
    ----------
    Makhzani et al., Adversarial autoencoders, 2015; Baur et al., Medical Image Analysis 2021; Chen and
    Konukoglu, arXiv 1806.04972, 2018.
    """

    name = "aae"
    options_type = AAEOptions
    meanings = {
        "a_rec": "reconstruction error",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 8, "epochs": 60, "warm_up": 2},
        "tiny": {"width": 4, "steps": 2},
    }

    def build(self) -> dict[str, nn.Module]:
        """Return autoencoder and critic."""
        network, critic = make_networks(self.options)
        return {"aae": network, "critic": critic}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the warm-up, if there is one, then the rest: at least one step."""
        o, plan = plan.options, plan.normal
        whole = o.recipe(plan.count)
        first = min(o.warm_up * whole.steps_per_epoch, whole.total_steps - 1)
        if not first:
            return [[self.spec(plan, "aae", aae_phase, whole)]]
        warming = partial(aae_phase, repeats=CRITIC_STEPS)
        warm_up = self.spec(plan, "warm_up", warming, replace(whole, steps=first))
        rest = replace(whole, steps=whole.total_steps - first)
        return [[warm_up], [self.spec(plan, "aae", partial(aae_phase, start=warm_up.name), rest)]]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the absolute residual and the mean squared one."""
        x = to_unit_interval(x)
        residual = x - self.folded_["aae"](x)
        score, absolute = residual.square().mean((1, 2, 3)), residual.abs().mean(1)
        return {"a_rec": score, "pred_score": score}, {"a_rec": absolute, "anomaly_map": absolute}
