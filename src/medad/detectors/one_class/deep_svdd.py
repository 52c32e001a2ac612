"""Deep SVDD as a detector: an encoder that maps normal images close to one point."""

from dataclasses import dataclass
from typing import Any

from medad.detectors.contract.ranges import ranged
from medad.detectors.one_class.svdd_detector import SVDDDetector
from medad.detectors.one_class.svdd_training import SVDDOptions
from medad.errors import check_choice

BOUNDARIES = ("one_class", "soft")


@dataclass(frozen=True)
class DeepSVDDOptions(SVDDOptions):
    """Options of Deep SVDD; the defaults are the authors' of CIFAR-10.

    Attributes
    ----------
    boundary : str
        ``"one_class"``: the mean squared distance to the centre is made small; ``"soft"``: a sphere outside of
        which only a share `nu` of the normal images lies.
    nu : float
        That share.
    """

    boundary: str = "one_class"
    nu: float = ranged(0.1, 1e-3, 1)

    @property
    def outside(self) -> float | None:
        """The share of the normal images that may lie outside of a soft boundary."""
        return self.nu if self.boundary == "soft" else None


class DeepSVDD(SVDDDetector):
    """Squared distance of an image's code to the centre of the normal images' codes.

    Stage 1 trains an autoencoder, stage 2 goes on with its encoder and pulls the codes of the normal images to
    their mean before it, or into a sphere around that (`boundary` ``"soft"``).

    Score: ``pred_score``, the squared distance, with a soft boundary minus R^2. There are no maps.

    Differs from the paper: images of more than 32 pixels have a last map of 8 x 8, reached with further levels above
    64 pixels, and the decoder begins with the code's map of 4 x 4 repeated to that side; an image without contrast is
    normalised to zeros.

    References
    ----------
    Ruff et al., Deep one-class classification, ICML 2018; lukasruff/Deep-SVDD-PyTorch.
    """

    name = "deep_svdd"
    options_type = DeepSVDDOptions

    def __init__(self, options: DeepSVDDOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("boundary", self.options.boundary, BOUNDARIES)
