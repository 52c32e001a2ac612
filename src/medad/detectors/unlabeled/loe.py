"""Latent outlier exposure as a detector: while it learns, it guesses which unlabeled images are abnormal."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.one_class.svdd_detector import SVDDDetector
from medad.detectors.one_class.svdd_training import SVDDOptions, svdd_phase
from medad.errors import check_choice
from medad.training.phase import Chunk, Phase
from medad.training.pixels import Pixels
from medad.training.spec import Recipe

EXPOSURES = {"soft": 0.5, "hard": 1.0}  # how much an image that is taken for abnormal counts as such
WARM_UP_EPOCHS = 2  # in which all images are taken for normal
LEAST_DISTANCE = 1e-6


@dataclass(frozen=True)
class LOEOptions(SVDDOptions):
    """Options of latent outlier exposure; the network and its training are those of Deep SVDD.

    Attributes
    ----------
    rate : float
        The share of the unlabeled images that is assumed to be abnormal; the authors' is 0.1. Give what is known of
        your own: it is not estimated.
    exposure : str
        ``"soft"``: images taken for abnormal have half the normal and half the abnormal loss, which forgives wrong
        guesses; ``"hard"``: they have the abnormal loss.
    """

    rate: float = ranged(0.1, 0, 1)
    exposure: str = "soft"


class LOE(SVDDDetector):
    """Squared distance of an image's code to a centre; unlabeled images thought to be abnormal are pushed away.

    Deep SVDD's loss is the squared distance d to the mean code of all images. After two epochs of it, in every batch
    the share `rate` of the unlabeled images for which the normal loss d exceeds the abnormal loss 1 / d the most is
    taken for abnormal and has the mean of both losses (`exposure` ``"soft"``) or the abnormal one alone (``"hard"``).
    The other images, and all that are known to be normal, have the normal loss. Without unlabeled images it is Deep
    SVDD.

    Score: ``pred_score``, the squared distance. There are no maps. Unlabeled images that were learned from are scored
    by the network that learned from them, not out of fold: do not rank them by it.

    Differs from the paper: known normal images stand beside the unlabeled ones, and only the latter are guessed at;
    the number of guesses in a batch is rounded to the nearest; the loss is Deep SVDD's on images, where the public
    code has neural transformations of features, and its abnormal counterpart the inverse that Deep SAD has
    (1 / (d + 1e-6)).

    References
    ----------
    Qiu et al., Latent outlier exposure for anomaly detection with contaminated data, ICML 2022;
    boschresearch/LatentOE-AD.
    """

    name = "loe"
    options_type = LOEOptions
    uses_unlabeled = True

    def __init__(self, options: LOEOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("exposure", self.options.exposure, EXPOSURES)

    @classmethod
    def pulling(cls, plan: Plan, recipe: Recipe) -> Phase:
        """Return the phase of the second stage: without unlabeled images that of Deep SVDD."""
        if not plan.has_unlabeled:
            return super().pulling(plan, recipe)
        o, pushing = plan.options, torch.zeros((), device=plan.device)
        marked = partial(with_marks, normal=plan.data.counts[0])
        objective = partial(partial, loe_loss, rate=o.rate, pushing=pushing)
        phase = svdd_phase(plan, recipe, cls.name, marked, objective)
        of_svdd = phase.schedule

        def schedule(number: int) -> None:
            assert of_svdd is not None
            of_svdd(number)
            begun = number // recipe.steps_per_epoch >= WARM_UP_EPOCHS
            pushing.fill_(EXPOSURES[o.exposure] if begun else 0.0)

        phase.schedule = schedule
        return phase


def with_marks(images: Pixels, index: Tensor, normal: int) -> Chunk:
    """Return the images at `index`, and which of them are unlabeled, (n,): all but the `normal` first ones."""
    return images(index), index >= normal


def loe_loss(network: nn.Module, x: Tensor, unlabeled: Tensor, rate: float, pushing: Tensor) -> Tensor:
    """Return the mean loss of images `x`, of which those taken for abnormal are so by the share `pushing`, ()."""
    normal_loss = network(x)
    abnormal_loss = 1 / (normal_loss + LEAST_DISTANCE)
    guessed = taken_for_abnormal((normal_loss - abnormal_loss).detach(), unlabeled, rate)
    share = pushing * guessed
    return ((1 - share) * normal_loss + share * abnormal_loss).mean()


def taken_for_abnormal(excess: Tensor, unlabeled: Tensor, rate: float) -> Tensor:
    """Return which images are taken for abnormal, (n,): the share `rate` of the unlabeled with the largest `excess`.

    Parameters
    ----------
    excess : Tensor
        By how much the normal loss exceeds the abnormal one, (n,).
    unlabeled : Tensor
        Which images are unlabeled, (n,).
    rate : float
        The share, of which the nearest whole number of images is taken.
    """
    candidates = torch.where(unlabeled, excess, -torch.inf)
    place = candidates.argsort(descending=True, stable=True).argsort()
    return place < (rate * unlabeled.sum()).round()
