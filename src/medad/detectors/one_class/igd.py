"""IGD as a detector: reconstruction and one-class score of an autoencoder with a Gaussian in its code."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.one_class.codes import codes_of
from medad.detectors.one_class.igd_networks import ENCODERS, IGDCritic, IGDGenerator, dissimilarity
from medad.errors import OptionError, check_choice
from medad.networks.resnet import FrozenResNet18, read_resnet18
from medad.networks.weights_file import weights_digest
from medad.training.phase import Chunk, Phase, adam, for_training, gradient_step, set_lr
from medad.training.pixels import in_order
from medad.training.spec import Recipe, Spec

REFRESH_EPOCHS = 10
POWER = 0.9  # of the learning rate's decay
CRITIC_WEIGHT = 0.1
TOWARDS_INPUT = 0.2  # how far from a reconstruction to its input the critic's second image lies
PATCH, STRIDE = 32, 16
PATCH_BATCH = 2  # images whose patches are a batch
SMALLEST_MULTI_SCALE = 64


@dataclass(frozen=True)
class IGDOptions(TrainingOptions):
    """Options of IGD; the defaults are the authors', but for the encoder.

    Attributes
    ----------
    width, latent : int
        Channels of the networks at full size, 8 times as many at the smallest maps; length of the code.
    encoder : str
        ``"scratch"``: trained with the rest; ``"resnet18"``: ImageNet's ResNet18, frozen, and a linear layer.
    resnet_weights : str
        For the latter, a file of torchvision's ResNet18 weights (.pth or .safetensors); only training reads it.
    multi_scale : bool
        Train a second network on patches of 32 pixels, which takes ten times as long, and score with both.
    """

    scoring = TrainingOptions.scoring | {"resnet_weights", "multi_scale"}

    epochs: int = 256
    batch_size: int = 16
    keep_last: bool = False
    lr: float = 1e-4
    beta1: float = 0.0
    beta2: float = 0.9
    weight_decay: float = 1e-6
    width: int = ranged(64, 1, 64)
    latent: int = ranged(128, 1)
    encoder: str = "scratch"
    resnet_weights: str = ""
    multi_scale: bool = False

    def of_training(self) -> dict[str, Any]:
        """Return the options on which the weights depend: of ResNet18's file, what it holds and not where it lies."""
        if self.encoder != "resnet18":
            return super().of_training()
        return super().of_training() | {"resnet18": weights_digest(read_resnet18(Path(self.resnet_weights)))}

    def of_patches(self) -> "IGDOptions":
        """Return the options of the network for patches."""
        return replace(self, size=PATCH, batch_size=PATCH_BATCH)


def make_generator(options: IGDOptions) -> IGDGenerator:
    """Return an untrained generator."""
    o = options
    return IGDGenerator(o.size, o.channels, o.width, o.latent, o.encoder)


def pieces(x: Tensor, size: int) -> Tensor:
    """Return images `x`, (n, C, S, S), cut into all k patches of `size`, one every 16 pixels: (n, k, C, size, size)."""
    patches = x.unfold(2, size, STRIDE).unfold(3, size, STRIDE)
    return patches.flatten(2, 3).transpose(1, 2)


def igd_phase(plan: Plan, recipe: Recipe, name: str) -> Phase:
    """Return the phase that trains a generator and, to tell mixed codes from real ones, a critic.

    The loss shown is the generator's.

    Parameters
    ----------
    plan, recipe
        As for every phase; images larger than the options' `size` are cut into overlapping patches.
    name : str
        Of the generator.
    """
    o, images = plan.options, plan.images()
    generator, critic = make_generator(o), IGDCritic(o.size, o.channels, o.width)
    if isinstance(generator.features, FrozenResNet18):
        generator.features.load_state_dict(read_resnet18(Path(o.resnet_weights)), strict=False)
    networks = for_training({name: generator, f"{name}_critic": critic}, plan.device)
    betas = (o.beta1, o.beta2)
    of_generator = adam(generator.trained, o.lr, o.weight_decay, betas)
    of_critic = adam(critic, o.lr, betas=betas)

    def draw(index: Tensor) -> Chunk:
        x = pieces(images(index), o.size)
        return x, 0.5 * torch.rand(x.shape[:2], device=x.device)

    def step(batch: Chunk) -> Tensor:
        x, share = (rows.flatten(0, 1) for rows in batch)
        made: list[Tensor] = []
        loss = gradient_step(of_generator, lambda: generator_loss(generator, critic, x, share, made), plan.precision)
        gradient_step(of_critic, lambda: critic_loss(critic, x, share, *made), plan.precision)
        return loss

    def refresh(first: bool) -> None:
        batches = (pieces(x, o.size).flatten(0, 1) for x in in_order(images, o.batch_size))
        generator.place_gaussian(codes_of(generator, generator.encode, batches, batch_statistics=first))

    schedule = partial(before_step, recipe, o.lr, (of_generator, of_critic), refresh)
    chunk = images.batches_at_once(recipe.batch_size)
    return Phase(networks, {name: of_generator, f"{name}_critic": of_critic}, draw, step, chunk, schedule)


def generator_loss(generator: IGDGenerator, critic: nn.Module, x: Tensor, share: Tensor, made: list[Tensor]) -> Tensor:
    """Return the generator's loss for images `x` (n, C, S, S) and shares (n,) of codes in mixtures.

    The reconstructions and the images of mixed codes are put into `made`, without gradients.
    """
    z = generator.encode(x)
    x_hat = generator.decode(z)
    mixed = share[:, None] * z + (1 - share[:, None]) * z.flip(0)
    between = generator.decode(mixed)
    made[:] = x_hat.detach(), between.detach()
    own = dissimilarity(x, x_hat).mean() + generator.surprise(z).mean()
    return own + CRITIC_WEIGHT * critic(between).square().mean()


def critic_loss(critic: nn.Module, x: Tensor, share: Tensor, x_hat: Tensor, between: Tensor) -> Tensor:
    """Return the critic's loss: it is to tell the share in `between`, and 0 near a reconstruction."""
    near = x_hat + TOWARDS_INPUT * (x - x_hat)
    return (critic(between) - share).square().mean() + critic(near).square().mean()


def before_step(
    recipe: Recipe,
    lr: float,
    optimisers: tuple[torch.optim.Optimizer, ...],
    refresh: Callable[[bool], None],
    number: int,
) -> None:
    """Set the learning rates of step `number`; every ten epochs, call `refresh` with whether it is for the first time.

    The first time batch norms have no running statistics that are of use.
    """
    for optimiser in optimisers:
        set_lr(optimiser, lr * (1 - number / recipe.total_steps) ** POWER)
    if number % (REFRESH_EPOCHS * recipe.steps_per_epoch) == 0:
        refresh(number == 0)


class IGD(Detector):
    """Autoencoder with a Gaussian around the codes of normal images, and a critic that makes mixed codes look real.

    With `multi_scale` a second network learns patches of 32 pixels, one every 16 pixels.

    Scores: ``rec``, 0.85 (1 - MS-SSIM) + 0.15 mean |x - x̂| / 2; ``one_class``, 1 - exp(-||z - c||^2 / sigma); with
    `multi_scale` also ``patch``, the largest 0.9 rec + 0.1 one_class of a patch. ``pred_score`` is the mean of
    the first two, with `multi_scale` that of ``patch`` and 0.1 rec + 0.9 one_class. The map, ``a_rec``, is |x - x̂|
    of the whole image.

    Differs from the paper: the encoder is by default trained from scratch, whereas published figures are with
    ImageNet's features (`encoder` ``"resnet18"``, whose batch norms keep ImageNet's statistics); images are compared
    in [-1, 1], for MS-SSIM in [0, 1], instead of with ImageNet's mean and deviation taken out, and are not mirrored at
    random; fewer layers for less than 256 pixels, and fewer scales of MS-SSIM below 176; layer norms have one gain a
    channel; the first Gaussian is that of codes as training sees them, with the statistics of batches; the critic
    learns from what the generator made before its own step. In the public code the generator
    trains in evaluation mode, the critic's loss compares every image with the shares of all others, sigma is taken
    around the centre of ten epochs before, and the error of a patch lacks the absolute value: none of this is copied.
    Its networks of patches have a critic that ends in a sigmoid and an encoder of their own kind; here they are those
    of the images, smaller.

    References
    ----------
    Chen, Tian, Pang, Carneiro, Deep one-class classification via interpolated Gaussian descriptor, AAAI 2022.
    """

    name = "igd"
    options_type = IGDOptions
    meanings = {
        "rec": "dissimilarity of image and reconstruction",
        "one_class": "distance of the code from those of normal images",
        "patch": "the most abnormal patch",
        "a_rec": "absolute difference between image and reconstruction",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"width": 8, "epochs": 30, "lr": 1e-3},
        "tiny": {"width": 1, "latent": 4, "batch_size": 4, "steps": 2},
    }

    def __init__(self, options: IGDOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        o = self.options
        check_choice("encoder", o.encoder, ENCODERS)
        if o.encoder == "resnet18" and not o.resnet_weights:
            raise OptionError("encoder", "name a file of its weights with option resnet_weights", o.encoder)
        if o.multi_scale and o.size < SMALLEST_MULTI_SCALE:
            raise OptionError("multi_scale", f"patches need images of at least {SMALLEST_MULTI_SCALE} pixels")

    def networks(self, options: IGDOptions) -> dict[str, IGDOptions]:
        """Return the options of each generator that there is, by name."""
        whole = {self.name: options}
        return whole | {f"{self.name}_patches": options.of_patches()} if options.multi_scale else whole

    def build(self) -> dict[str, nn.Module]:
        """Return the generators; critics are of no use any more."""
        return {name: make_generator(options) for name, options in self.networks(self.options).items()}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage: a phase for each generator."""
        plans = {name: plan.normal.with_options(o) for name, o in self.networks(plan.options).items()}
        return [
            [
                self.spec(part, name, partial(igd_phase, name=name), part.options.recipe(part.count))
                for name, part in plans.items()
            ]
        ]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the scores of a batch and its absolute residual."""
        rec, one_class, x_hat = self._seen(self.name, x)
        scores = {"rec": rec, "one_class": one_class}
        if self.options.multi_scale:
            patches = pieces(x, PATCH)
            parts = self._seen(f"{self.name}_patches", patches.flatten(0, 1))[:2]
            of_parts, surprise = (part.unflatten(0, patches.shape[:2]) for part in parts)
            scores["patch"] = (0.9 * of_parts + 0.1 * surprise).amax(1)
            scores["pred_score"] = 0.5 * scores["patch"] + 0.5 * (0.1 * rec + 0.9 * one_class)
        else:
            scores["pred_score"] = 0.5 * rec + 0.5 * one_class
        residual = (x - x_hat).abs().mean(1)
        return scores, {"a_rec": residual, "anomaly_map": residual}

    def _seen(self, name: str, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return both scores, (n,), and the reconstructions of images or patches."""
        generator = cast(IGDGenerator, self.folded_[name])
        z = generator.encode(x)
        x_hat = generator.decode(z)
        return dissimilarity(x, x_hat), generator.surprise(z), x_hat
