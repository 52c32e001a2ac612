"""What methods share that learn to segment anomalies pasted into normal images (Schlueter et al., ECCV 2022)."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from medad.data.given import Images
from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import STANDARD, TrainingOptions
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.contract.summaries import MEANINGS, summaries
from medad.detectors.synthetic.crops import centre_crop, padded, turned_crop
from medad.errors import OptionError, check_choice
from medad.networks.resnet_segmenter import ResNetSegmenter
from medad.synthesis.registry import SYNTHESES, make_synthesis
from medad.synthesis.sources import other_indices
from medad.training.phase import Chunk, set_lr
from medad.training.pixels import Pixels, to_unit
from medad.training.spec import Recipe

TRIED = 64  # images, to see whether anything can be pasted
INTENSITY = "intensity"  # the label that is no probability
LOWEST_LR = 1e-6
SMALL: dict[str, Any] = {"size": 128, "width": 32}


@dataclass(frozen=True)
class SegmentationOptions(TrainingOptions):
    """Options of methods that segment pasted anomalies; the defaults are MedIAnomaly's.

    Attributes
    ----------
    width : int
        Channels of the network's first layers, a multiple of 16.
    label : str
        What the network learns where an image was changed: ``"binary"`` (1), ``"continuous"`` (the strength of the
        mixture), ``"logistic"`` (how visible the change is) or ``"intensity"`` (how large it is, in grey levels).
    background : float or None
        Grey level, in [0, 255], of what is no object: patches are of objects. With none (``null``) all of an image is.
    use_unlabeled : bool
        Whether unlabeled images, where there are any, also serve as sources of what is pasted (the starred variants
        of Cai et al. 2023).
    """

    size: int = 256
    width: int = ranged(64, 16)
    label: str = "continuous"
    background: float | None = ranged(0.0, 0, 255)
    use_unlabeled: bool = True


class SegmentationDetector(OneNetworkDetector):
    """A network that learns where something was pasted into normal images; what it finds is the anomaly map.

    Scores: ``mean``, ``max`` and ``top`` of the map; ``pred_score`` is ``mean``.
    """

    options_type = SegmentationOptions
    synthesis: ClassVar[str]  # its name among all syntheses
    meanings = MEANINGS | {"anomaly_map": "what looks pasted; zero at the edges, which are not looked at"}
    threads = 2
    uses_unlabeled = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "standard": STANDARD | SMALL | {"epochs": 150},
        "quick": SMALL | {"epochs": 50},
        "tiny": {"size": 64, "width": 16, "steps": 2},
    }

    def __init__(self, options: SegmentationOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("label", self.options.label, SYNTHESES[self.synthesis].labels)
        if self.options.width % 16:
            raise OptionError("width", "choose a multiple of 16", self.options.width)

    def fit(self, normal: Images, unlabeled: Images | None = None, **how: Any) -> Self:
        """Learn as every detector does; where hardly anything can be pasted into the normal images, that is said."""
        normal = self._given(normal)
        clean, tried = self._clean(to_unit(normal.pixels[:TRIED], torch.device("cpu")))
        if 2 * clean > tried:
            found = f"{clean} of {tried} normal images stayed clean, for want of a place to paste"
            print(f"{self.name}: {found}; see option background: {self.options.background}", file=sys.stderr)
        return super().fit(normal, unlabeled, **how)

    def _clean(self, x: Tensor) -> tuple[int, int]:
        """Return into how many images nothing can be pasted, and of how many."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            synthesis = make_synthesis(self.synthesis, self.options.label, **self.settings(self.options))
            sources = x.roll(1, 0) if SYNTHESES[self.synthesis].foreign else x
            labels = synthesis(x, sources).labels
        return int((labels.amax((1, 2)) == 0).sum()), len(x)

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        return ResNetSegmenter(options.channels, options.width)

    @classmethod
    def seen(cls, plan: Plan) -> Plan:
        """Return the training with the unlabeled images if they are sources; its options say whether they are."""
        pooled = plan.has_unlabeled and plan.options.use_unlabeled
        return (plan if pooled else plan.normal).with_options(replace(plan.options, use_unlabeled=pooled))

    @classmethod
    def samples(cls, options: Any, images: Pixels, index: Tensor) -> Chunk:
        """Return crops in [0, 1] into which something was pasted, (n, C, s, s), and what is to be found, (n, s, s)."""
        return cls.pasted(options, images, index, len(images))

    @classmethod
    def pasted(cls, options: Any, images: Pixels, index: Tensor, sources: int) -> Chunk:
        """Return the same, where the first so many images are sources of what is pasted."""
        x = turned_crop(images(index))
        elsewhere = SYNTHESES[cls.synthesis].foreign or options.use_unlabeled
        patches = turned_crop(images(other_indices(index, sources))) if elsewhere else x
        made = make_synthesis(cls.synthesis, options.label, **cls.settings(options))(x, patches)
        return _unit(made.images).contiguous(memory_format=torch.channels_last), made.labels

    @classmethod
    def settings(cls, options: Any) -> dict[str, Any]:
        """Return the settings of the synthesis."""
        return {"background": options.background}

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the function of crops and labels that says how badly the network finds what was pasted."""
        return lambda images, labels: segmentation_loss(options, network(images)[:, 0], labels)

    @classmethod
    def schedule(cls, options: Any, optimiser: Optimizer, recipe: Recipe) -> Callable[[int], None]:
        """Return what sets the learning rate of an epoch: along a cosine down to 1e-6."""
        epochs = math.ceil(recipe.total_steps / recipe.steps_per_epoch)

        def set_rate(number: int) -> None:
            height = 0.5 * (1 + math.cos(math.pi * (number // recipe.steps_per_epoch) / epochs))
            set_lr(optimiser, LOWEST_LR + (options.lr - LOWEST_LR) * height)

        return set_rate

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return scores and maps of images."""
        return self.reported(self.folded_[self.name](_unit(centre_crop(x))), x.shape[-1])

    def reported(self, maps: Tensor, size: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return what the network's maps (n, maps, s, s) say: the first, zero around, and its summaries."""
        found = maps[:, 0]
        found = found.relu() if self.options.label == INTENSITY else found.sigmoid()
        anomaly_map = padded(found, size)
        scores = summaries(anomaly_map)
        return scores | {"pred_score": scores["mean"]}, {"anomaly_map": anomaly_map}


def segmentation_loss(options: SegmentationOptions, found: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over pixels of the cross-entropy, for labels that are no probabilities the squared error.

    Parameters
    ----------
    options : SegmentationOptions
        Say which labels these are.
    found, labels : Tensor
        (n, s, s), the network's map before its last non-linearity and what it should be.
    """
    if options.label == INTENSITY:
        return F.mse_loss(found.relu(), labels)
    return F.binary_cross_entropy_with_logits(found, labels)


def _unit(x: Tensor) -> Tensor:
    """Return images in [-1, 1] as the network sees them, in [0, 1]."""
    return (x + 1) / 2
