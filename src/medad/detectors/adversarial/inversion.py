"""The search for the code whose generated image is most like a given one (AnoGAN, Schlegl et al., IPMI 2017)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from medad.detectors.contract.groups import groups
from medad.detectors.contract.options import Options
from medad.detectors.contract.ranges import ranged
from medad.training.phase import set_lr
from medad.training.seeds import derive_seed

Network = Callable[[Tensor], Tensor]

# Share of the steps done -> learning rate of Adam from there on: of 500 steps 200 at 0.01, 100 at 0.001, 200 at 0.0005.
RATES = {0.0: 0.01, 0.4: 0.001, 0.6: 0.0005}


@dataclass(frozen=True)
class FeatureOptions(Options):
    """How the residuals of images and features are weighted.

    Attributes
    ----------
    feature_weight : float
        lambda: weight of the feature residual, 1 - lambda is the image residual's.
    """

    scoring = Options.scoring | {"feature_weight"}

    feature_weight: float = ranged(0.1, 0, 1)


@dataclass(frozen=True)
class SearchOptions(FeatureOptions):
    """How codes are searched for.

    Attributes
    ----------
    search_steps : int
        Steps of Adam for each image and starting point.
    restarts : int
        Number of starting points; the best result counts.
    """

    scoring = FeatureOptions.scoring | {"search_steps", "restarts"}

    search_steps: int = ranged(500, 1)
    restarts: int = ranged(1, 1)


def anogan_residual(x: Tensor, x_hat: Tensor, f: Tensor, f_hat: Tensor, weight: float) -> Tensor:
    """Return (1 - `weight`) sum|x - x_hat| + `weight` sum|f - f_hat| of each image, (n,).

    Parameters
    ----------
    x, x_hat : Tensor
        Images and their reconstructions, (n, C, S, S).
    f, f_hat : Tensor
        Their features, (n, ...).
    weight : float
        lambda.
    """
    image, feature = ((a.float() - b.float()).abs().flatten(1).sum(1) for a, b in ((x, x_hat), (f, f_hat)))
    return (1 - weight) * image + weight * feature


def residual_scores(
    x: Tensor, x_hat: Tensor, f: Tensor, f_hat: Tensor, weight: float
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return what AnoGAN says about images, scores and maps; see :func:`anogan_residual` for the parameters.

    ``pred_score`` is the weighted sum, ``a_rec`` the absolute residual (map, and its mean), ``feature_residual``
    the mean absolute difference of the features.
    """
    residual = (x - x_hat).abs().mean(1)
    scores = {
        "a_rec": residual.mean((1, 2)),
        "feature_residual": (f.float() - f_hat.float()).abs().flatten(1).mean(1),
        "pred_score": anogan_residual(x, x_hat, f, f_hat, weight),
    }
    return scores, {"a_rec": residual, "anomaly_map": residual}


def starting_points(options: SearchOptions, latent: int, seed: int, device: torch.device) -> Tensor:
    """Return the codes from which all searches of a detector with `seed` start, (restarts, latent), from N(0, 1)."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "search"))
    return torch.randn(options.restarts, latent, generator=generator).to(device)


def invert(x: Tensor, generator: Network, features: Network, starts: Tensor, steps: int, weight: float) -> Tensor:
    """Return the generated images that are most like `x`, (n, C, S, S).

    Every image is searched for alone, from every starting point: Adam moves each value of each code by its own
    gradient, and the networks, in evaluation mode, treat the images of a batch one by one.

    Parameters
    ----------
    x : Tensor
        Images, (n, C, S, S) in [-1, 1].
    generator, features : callable
        Codes (n, latent) -> images; images -> features. Their weights stay as they are.
    starts : Tensor
        (restarts, latent), the same for all images.
    steps : int
        Of Adam.
    weight : float
        See :func:`anogan_residual`, which is made small.
    """
    with torch.inference_mode(False), torch.no_grad():
        # Copies, since autograd refuses tensors made in inference mode.
        copies = [part.clone(memory_format=torch.channels_last) for part in groups(x)]
        found = [_inverted(part, generator, features, starts, steps, weight) for part in copies]
    return torch.cat(found)[: len(x)]


def _inverted(x: Tensor, generator: Network, features: Network, starts: Tensor, steps: int, weight: float) -> Tensor:
    f = features(x)

    def residual(x_hat: Tensor) -> Tensor:
        return anogan_residual(x, x_hat, f, features(x_hat), weight)

    found = [generator(_searched(start.repeat(len(x), 1), lambda z: residual(generator(z)), steps)) for start in starts]
    best = torch.stack([residual(x_hat) for x_hat in found]).argmin(0)
    return torch.stack(found)[best, torch.arange(len(x), device=x.device)]


def _searched(z: Tensor, residual: Network, steps: int) -> Tensor:
    """Return codes with a smaller residual."""
    optimiser = torch.optim.Adam([z.requires_grad_()], lr=RATES[0.0])
    for step in range(steps):
        set_lr(optimiser, next(lr for share, lr in reversed(RATES.items()) if step / steps >= share))
        with torch.enable_grad():
            (z.grad,) = torch.autograd.grad(residual(z).sum(), z)
        optimiser.step()
    return z.detach()
