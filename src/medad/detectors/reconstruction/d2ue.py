"""D2UE: an ensemble whose members must see images differently, judged by how their errors move with the image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.reconstruction.backbones import (
    RECONSTRUCTION_PRESETS,
    ReconstructionOptions,
    make_network,
    network_options,
)
from medad.errors import check_choice
from medad.networks.autoencoder import AE, BACKBONES
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase import Chunk, Phase
from medad.training.pixels import Pixels
from medad.training.spec import Recipe, Spec

LEAST_NORM = 1e-8  # of the Gram matrices' product


@dataclass(frozen=True)
class D2UEOptions(ReconstructionOptions):
    """Options of D2UE; the defaults are the authors' for AE-U. For AE and MemAE they have `lr` 5e-4.

    Attributes
    ----------
    backbone : str
        ``"ae"``, ``"memae"`` or ``"aeu"``.
    ensemble_size : int
        K, the number of learners.
    repulsion : float
        lambda, the weight of a learner's likeness to the earlier ones in its loss.
    """

    lr: float = 1e-3
    backbone: str = "aeu"
    ensemble_size: int = ranged(3, 2)
    repulsion: float = ranged(1.0, 0)


class D2UE(Detector):
    """Spread inside an ensemble of autoencoders, each trained to have other codes than those before it.

    The K learners are trained one after another on normal images. From the second on, the loss is the backbone's plus
    lambda times the mean linear CKA of the codes of a batch with those of the frozen earlier learners. Learner k gives
    u_k = |x_hat - x| d mean(|x_hat - x|) / dx, with the gradient also through x_hat; with AE-U the gradient is that of
    the mean of (x_hat - x)^2 / sigma^2, and u_k is divided by the root of the learners' mean variance.

    Score: ``d2ue``, the mean of its map, the standard deviation of u_k over the learners (divisor K - 1).

    Differs from the paper: this is the authors' code; log(sigma^2) is clamped to ±10, colours are averaged, and the
    last epoch is the result, nothing is chosen on test images.

    References
    ----------
    Gu, Lin, Cheng, Chen, Revisiting deep ensemble uncertainty for enhanced medical anomaly detection, MICCAI 2024;
    Rubiscol/D2UE.
    """

    name = "d2ue"
    options_type = D2UEOptions
    meanings = {"d2ue": "disagreement of the networks about how their error changes with a pixel"}
    presets = RECONSTRUCTION_PRESETS | {"tiny": RECONSTRUCTION_PRESETS["tiny"] | {"ensemble_size": 2}}

    def __init__(self, options: D2UEOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("backbone", self.options.backbone, BACKBONES)

    @property
    def learners(self) -> list[str]:
        """Names of the networks, in the order of their training."""
        return [f"learner_{k + 1}" for k in range(self.options.ensemble_size)]

    def build(self) -> dict[str, nn.Module]:
        """Return the learners."""
        return {name: make_network(self.options.backbone, self.options) for name in self.learners}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return a stage for each learner."""
        return [[self._learner(plan.normal, k)] for k in range(self.options.ensemble_size)]

    def _learner(self, plan: Plan, k: int) -> Spec:
        o, name, earlier = plan.options, self.learners[k], self.learners[:k]
        relevant = network_options(o) | {"backbone": o.backbone} | ({"repulsion": o.repulsion} if earlier else {})
        return self.spec(plan, name, partial(learner_phase, name=name, earlier=earlier), o.recipe(plan.count), relevant)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the spread over the learners and its mean."""
        found = [sensitivity(self.folded_[name], x) for name in self.learners]
        u = torch.stack([error for error, _ in found])
        variances = [variance for _, variance in found if variance is not None]
        if variances:
            u = u / torch.stack(variances).mean(0).sqrt()
        spread = u.std(0).mean(1)
        score = spread.mean((1, 2))
        return {"d2ue": score, "pred_score": score}, {"d2ue": spread, "anomaly_map": spread}


def sensitivity(network: nn.Module, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the error of the reconstruction of `x` times its mean's gradient, and the variance, if there is one.

    Parameters
    ----------
    network : Module
        A backbone, in evaluation mode.
    x : Tensor
        (n, C, S, S), as are both results.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = x.clone().requires_grad_()
        mean, log_variance, _ = network(x)
        error = (mean - x).abs()
        judged = error if log_variance is None else (-log_variance).exp() * error.square()
        (slope,) = torch.autograd.grad(judged.mean((1, 2, 3)).sum(), x)
    return error.detach() * slope, None if log_variance is None else log_variance.detach().exp()


def linear_cka(a: Tensor, b: Tensor) -> Tensor:
    """Return how alike the codes `a`, (n, d), and `b`, (n, e), of the same n images are, (): 0 to 1.

    It is the cosine of the centred Gram matrices, by way of the smaller products of features with features.
    """
    with torch.autocast(a.device.type, enabled=False):
        a, b = (z.float() - z.float().mean(0) for z in (a, b))
        norms = (a.T @ a).norm() * (b.T @ b).norm()
        return (a.T @ b).square().sum() / norms.clamp(min=LEAST_NORM)


def learner_phase(plan: Plan, recipe: Recipe, name: str, earlier: Sequence[str]) -> Phase:
    """Return the phase that trains a learner.

    Parameters
    ----------
    plan, recipe
        As for every phase.
    name : str
        Of the learner.
    earlier : sequence of str
        The finished learners that it is not to resemble.
    """
    o, frozen = plan.options, [_frozen(plan, other) for other in earlier]

    def samples(images: Pixels, index: Tensor) -> Chunk:
        x = images(index)
        with torch.no_grad():
            return x, *(network.encode(x) for network in frozen)

    objective = partial(repelled_loss, repulsion=o.repulsion)
    return network_phase(plan, recipe, name, partial(make_network, o.backbone, o), samples, objective)


def repelled_loss(network: nn.Module, repulsion: float) -> Callable[..., Tensor]:
    """Return the function of images and of their codes by earlier learners that training makes small."""
    learner, kept = cast(AE, network), []
    learner.linear_enc.register_forward_hook(lambda layers, inputs, z: kept.append(z))

    def loss(x: Tensor, *codes: Tensor) -> Tensor:
        own = learner.loss(x)
        z = kept.pop()
        if not codes:
            return own
        return own + repulsion * torch.stack([linear_cka(z, other) for other in codes]).mean()

    return loss


def _frozen(plan: Plan, name: str) -> AE:
    network = make_network(plan.options.backbone, plan.options)
    load_networks({name: network}, load_tensors(plan.finished(name))[0])
    return cast(AE, folded(network).to(plan.device))
