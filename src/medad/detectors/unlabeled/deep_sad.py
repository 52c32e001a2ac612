"""Deep SAD as a detector: Deep SVDD on unlabeled images, too, with a weight of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.one_class.svdd_detector import SVDDDetector
from medad.detectors.one_class.svdd_training import SVDDOptions, svdd_phase
from medad.training.phase import Chunk, Phase
from medad.training.pixels import Pixels
from medad.training.spec import Recipe


@dataclass(frozen=True)
class DeepSADOptions(SVDDOptions):
    """Options of Deep SAD; the defaults are the authors', of the network and its training those of Deep SVDD.

    Attributes
    ----------
    eta : float
        Weight of a normal image, where that of an unlabeled one is 1.
    """

    eta: float = ranged(1.0, 1e-3)


class DeepSAD(SVDDDetector):
    """Squared distance of an image's code to a centre, to which normal and unlabeled images are pulled.

    Deep SAD pulls normal examples (weight `eta`) and unlabeled images (weight 1) to the mean code of all of them and
    pushes abnormal examples away. Here there are no abnormal examples: what is abnormal among the unlabeled images is
    pulled to the centre as the others are, and with `eta` 1 it is Deep SVDD on all images together. Without unlabeled
    images it is Deep SVDD.

    Score: ``pred_score``, the squared distance. There are no maps. Unlabeled images that were learned from are scored
    by the network that learned from them, not out of fold: do not rank them by it.

    Differs from the paper: no abnormal examples, hence no term for them; images are normalised by their contrast and
    the networks are Deep SVDD's, with what differs there.

    References
    ----------
    Ruff et al., Deep semi-supervised anomaly detection, ICLR 2020; lukasruff/Deep-SAD-PyTorch.
    """

    name = "deep_sad"
    options_type = DeepSADOptions
    uses_unlabeled = True

    @classmethod
    def pulling(cls, plan: Plan, recipe: Recipe) -> Phase:
        """Return the phase of the second stage: without unlabeled images that of Deep SVDD."""
        if not plan.has_unlabeled:
            return super().pulling(plan, recipe)
        weighted = partial(with_weights, normal=plan.data.counts[0], eta=plan.options.eta)
        return svdd_phase(plan, recipe, cls.name, weighted, weighted_distance)


def with_weights(images: Pixels, index: Tensor, normal: int, eta: float) -> Chunk:
    """Return the images at `index`, and their weights, (n,): `eta` of the `normal` first of all images, 1 of others."""
    return images(index), torch.where(index < normal, eta, 1.0)


def weighted_distance(network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the function of images and their weights that training makes small: the mean weighted distance."""
    return lambda x, weight: (weight * network(x)).mean()
