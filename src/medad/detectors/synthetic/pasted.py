"""FPI, PII, NSA and CutPaste: one network and one training, four ways of pasting anomalies."""

from dataclasses import dataclass
from typing import Any

from medad.detectors.synthetic.segmentation import SegmentationDetector, SegmentationOptions


class FPI(SegmentationDetector):
    """Foreign patch interpolation: patches mixed with the same place of another image; the map is their strength.

    Scores: ``mean``, ``max`` and ``top`` of the map; ``pred_score`` is ``mean``.

    Differs from the paper: network, training and patches are those of NSA's code, as in all comparisons of Cai et al.;
    the authors have one square and a wide residual network. Sources are drawn independently, any other image each
    time, the published starred form (`use_unlabeled`) draws without replacement. Rotations and crops scale with the
    image, and the network takes sides that are no multiple of 32 as they are. The network's last non-linearity stands
    in the loss, which is the same but for rounding. ``max`` and ``top`` are ours. Presets ``standard`` and ``quick``
    have images of 128 pixels, half of the channels and 150 (``quick``: 50) epochs.

    References
    ----------
    Tan, Hou, Batten, Qiu, Kainz, arXiv 2011.04197; Schlueter et al., ECCV 2022; Cai et al., Medical Image Analysis
    2023, and 2025 (arXiv 2404.04518).
    """

    name = "fpi"
    synthesis = "fpi"


class PII(SegmentationDetector):
    """Poisson image interpolation: as FPI, but patches are blended in along gradients, so that no edge betrays them.

    Scores: ``mean``, ``max`` and ``top`` of the map; ``pred_score`` is ``mean``.

    Differs from the paper: network, training and patches are those of NSA's code, as in all comparisons of Cai et al.;
    the authors have one square, a wide residual network, and images in units of their own standard deviation. The
    Poisson equation is solved exactly, by sine transforms. The rest as :class:`FPI`.

    References
    ----------
    Tan, Hou, Day, Simpson, Rueckert, Kainz, MICCAI 2021 (arXiv 2107.02622); Cai et al., Medical Image Analysis 2023.
    """

    name = "pii"
    synthesis = "pii"


@dataclass(frozen=True)
class NSAOptions(SegmentationOptions):
    """Options of NSA; the defaults are those of medical images."""

    label: str = "logistic"


class NSA(SegmentationDetector):
    """Natural synthetic anomalies: patches of other images, resized, shifted and blended in along gradients.

    Scores: ``mean``, ``max`` and ``top`` of the map; ``pred_score`` is ``mean``.

    Differs from the paper: gradients are mixed and labels logistic, as for chest X-rays. The Poisson equation is
    solved by sine transforms. The rest as :class:`FPI`.

    References
    ----------
    Schlueter, Tan, Hou, Kainz, ECCV 2022 (arXiv 2109.15222); Cai et al., Medical Image Analysis 2023.
    """

    name = "nsa"
    synthesis = "nsa"
    options_type = NSAOptions


@dataclass(frozen=True)
class CutPasteE2EOptions(SegmentationOptions):
    """Options of CutPaste, end to end.

    Attributes
    ----------
    anywhere : bool
        Whether patches are those of the paper, one of 2 to 15 % of an image's area wherever it falls, instead of NSA's.
    """

    label: str = "binary"
    anywhere: bool = False


class CutPasteE2E(SegmentationDetector):
    """CutPaste, end to end: patches pasted elsewhere in the same image, with hard edges.

    With unlabeled images the patches are those of another image, normal or unlabeled (CutPaste* of Cai et al. 2023).

    Scores: ``mean``, ``max`` and ``top`` of the map; ``pred_score`` is ``mean``.

    Differs from the paper: a network that segments takes the place of a classifier and a Gaussian of its features, and
    patches are NSA's, unless `anywhere`; so it stands in the comparison of Cai et al., whose code leaves open where the
    starred form takes its patches from. The rest as :class:`FPI`.

    References
    ----------
    Li, Sohn, Yoon, Pfister, CVPR 2021; Schlueter et al., ECCV 2022; Cai et al., Medical Image Analysis 2023.
    """

    name = "cutpaste_e2e"
    synthesis = "cutpaste"
    options_type = CutPasteE2EOptions

    @classmethod
    def settings(cls, options: Any) -> dict[str, Any]:
        """Return the settings of the synthesis."""
        return super().settings(options) | {"anywhere": options.anywhere}
