"""AnatPaste as a detector."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from medad.detectors.synthetic.classifier import PatchClassifierOptions
from medad.detectors.synthetic.classifier_stages import Samples
from medad.detectors.synthetic.patch_classifier import PRESETS, PatchClassifierDetector
from medad.synthesis.anatpaste import anatpaste_classes
from medad.synthesis.colour_jitter import luminance
from medad.synthesis.lungs import lung_mask
from medad.training.phase import Chunk
from medad.training.pixels import Pixels


class AnatPaste(PatchClassifierDetector):
    """CutPaste for chest X-rays: the network learns to tell images from the same with soft patches in the lungs.

    The lungs are found without learning, as dark regions off the border, once in every image; where none are found
    a patch may lie anywhere. The patch is of the same image, blurred at its edge and transparent.

    Scores: ``density``, Mahalanobis' distance, which is ``pred_score``, and ``classifier``, the probability of a
    patch. There are no maps.

    Differs from the paper: training is that of MedIAnomaly, 25,600 steps of 64 images of 224 pixels, each with and
    without a patch; lengths and areas in pixels are as much of the image as at 224. A patch too small for the shape in
    it is drawn anew; what is no lung because it is black is black in the image, not after equalisation, which is
    Zuiderveld's with 8 x 8 tiles; ImageNet's mean and deviation are taken out. Presets ``standard`` and ``quick`` have
    images of 128 pixels, half of the channels and 4,000 (``quick``: 1,000) steps of 32 images.

    References
    ----------
    Sato et al., Anatomy-aware self-supervised learning for anomaly detection in chest radiographs, iScience 2023;
    jun-sato/AnatPaste; Cai et al., Medical Image Analysis 2025.
    """

    name = "anatpaste"
    options_type = PatchClassifierOptions
    presets = PRESETS

    @classmethod
    def classes(cls, options: Any) -> int:
        """Return 2."""
        return 2

    @classmethod
    def samples(cls, options: Any) -> Samples:
        """Return what makes every image as each class, and keeps the lungs that it has found."""
        return LungPatches()


class LungPatches:
    """Images without and with a patch in the lungs, which are looked for once in every image."""

    def __init__(self) -> None:
        self.lungs: dict[int, Tensor] = {}

    def __call__(self, images: Pixels, index: Tensor) -> Chunk:
        """Return (n, 2, C, S, S) for the images at `index`."""
        x, numbers = images(index), index.tolist()
        lacking = [i for i, number in enumerate(numbers) if number not in self.lungs]
        for i, grey in zip(lacking, _grey(x[lacking]), strict=True):
            self.lungs[numbers[i]] = torch.from_numpy(lung_mask(grey))
        masks = torch.stack([self.lungs[number] for number in numbers])
        return (anatpaste_classes(x, masks.to(x.device)),)


def _grey(x: Tensor) -> np.ndarray:
    """Return images (n, C, S, S) in [-1, 1] as grey ones, (n, S, S) in [0, 1]."""
    return ((luminance(x)[:, 0] + 1) / 2).cpu().numpy()
