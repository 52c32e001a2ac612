"""CutPaste as a detector."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from medad.detectors.synthetic.classifier import PatchClassifierOptions
from medad.detectors.synthetic.classifier_stages import Samples
from medad.detectors.synthetic.patch_classifier import PRESETS, PatchClassifierDetector
from medad.errors import check_choice
from medad.synthesis.cutpaste import CLASSES, cutpaste_classes
from medad.training.phase import Chunk
from medad.training.pixels import Pixels


@dataclass(frozen=True)
class CutPasteOptions(PatchClassifierOptions):
    """Options of CutPaste; the defaults are preset ``paper``.

    Attributes
    ----------
    variant : str
        Classes beside that of unchanged images: ``"normal"``, with a patch; ``"scar"``, with a scar; ``"3way"``, both;
        ``"union"``, both as one.
    """

    variant: str = "3way"

    def __post_init__(self) -> None:
        """Refuse a variant that there is not, and what `PatchClassifierOptions` refuses."""
        super().__post_init__()
        check_choice("variant", self.variant, CLASSES)


class CutPaste(PatchClassifierDetector):
    """Distance from normal images as a network sees them that can tell them from images with a patch pasted.

    In the first stage a ResNet18 learns to tell images from the same with a rectangle of themselves pasted elsewhere,
    or a thin turned one, a scar. In the second a Gaussian is fitted to its descriptors of the normal images as they
    are, each divided by its length, with Ledoit's and Wolf's covariance.

    Scores: ``density``, Mahalanobis' distance, which is ``pred_score``, and ``classifier``, 1 minus the probability of
    an unchanged image. There are no maps.

    Differs from the paper: training is that of MedIAnomaly, 25,600 steps of 64 images of 224 pixels, each as every
    class, instead of steps of 32 at 256; a scar is as much of a side as at 224; the order of the changes of colour is
    fixed; the covariance is shrunk, as in the public code; ImageNet's mean and deviation are taken out also where the
    network is trained from scratch. A pretrained encoder, which is not changed in the first steps, gathers momentum in
    them. All images are seen: the public code leaves out those of large sets. Presets ``standard`` and ``quick`` have
    images of 128 pixels, half of the channels and 4,000 (``quick``: 1,000) steps of 32 images.

    References
    ----------
    Li, Sohn, Yoon, Pfister, CutPaste: self-supervised learning for anomaly detection and localization, CVPR 2021;
    Runinho/pytorch-cutpaste; Cai et al., Medical Image Analysis 2025.
    """

    name = "cutpaste"
    options_type = CutPasteOptions
    presets = PRESETS

    @classmethod
    def classes(cls, options: Any) -> int:
        """Return 2 or 3."""
        return CLASSES[options.variant]

    @classmethod
    def samples(cls, options: Any) -> Samples:
        """Return what makes every image as each class."""
        return partial(_samples, options.variant)


def _samples(variant: str, images: Pixels, index: Tensor) -> Chunk:
    return (cutpaste_classes(images(index), variant),)
