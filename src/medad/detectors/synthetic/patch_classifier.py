"""Two stages: a network learns to tell images from changed ones, then a Gaussian how normal images look to it."""

from abc import abstractmethod
from functools import partial
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from medad.data.given import Images
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.options import Options
from medad.detectors.contract.plan import Plan
from medad.detectors.features.density import density_distance
from medad.detectors.synthetic.classifier import PatchClassifierOptions, make_classifier
from medad.detectors.synthetic.classifier_stages import DENSITY, Samples, classifier_phase, density_fit
from medad.training.spec import Recipe, Spec, Sweep

DESCRIBED_AT_ONCE = 32 * 128**2  # pixels: a constant, as sums are rounded in an order that depends on it
SMALL: dict[str, Any] = {"size": 128, "width": 32, "batch_size": 32}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "standard": SMALL | {"holdout": 0.1, "steps": 4000},
    "quick": SMALL | {"steps": 1000},
    "tiny": {"size": 64, "width": 16, "steps": 2, "batch_size": 4},
}


class PatchClassifierDetector(Detector):
    """A method of both stages; the score is how far an image's descriptor is from those of normal images."""

    options_type: ClassVar[type[Options]] = PatchClassifierOptions
    meanings = {
        "density": "Mahalanobis' distance of the descriptor's direction from those of normal images",
        "classifier": "probability that the image is a changed one",
    }
    threads = 2

    @classmethod
    @abstractmethod
    def classes(cls, options: Any) -> int:
        """Return the number of classes; the first is that of unchanged images."""

    @classmethod
    @abstractmethod
    def samples(cls, options: Any) -> Samples:
        """Return what makes, of images and indices (n,), a tuple of x: (n, classes, C, S, S), each image as each class.

        It is asked for once, in the process that trains.
        """

    def fit(self, normal: Images, unlabeled: Images | None = None, **how: Any) -> Self:
        """Learn as every detector does; raises `UserError` also where pretrained weights cannot be had."""
        self.options.of_training()  # before anything is changed
        return super().fit(normal, unlabeled, **how)

    def build(self) -> dict[str, nn.Module]:
        """Return the network."""
        return {self.name: make_classifier(self.options, self.classes(self.options))}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the phase of the classifier, then the fit of the density."""
        o, plan, name = plan.options, plan.normal, self.name
        described = Sweep(plan.count, max(DESCRIBED_AT_ONCE // o.size**2, 1))
        make = partial(make_classifier, o, self.classes(o))
        training = partial(classifier_phase, name=name, make=make, samples=partial(self.samples, o))
        return [
            [self.spec(plan, name, training, Recipe(plan.count, o.batch_size, 1, o.steps))],
            [self.spec(plan, DENSITY, partial(density_fit, name=name, make=make), described)],
        ]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the distance and the classifier's verdict; there are no maps."""
        d, logits = self.folded_[self.name](x)
        density = {name: self.tensors_[f"{DENSITY}/{name}"] for name in ("mean", "precision")}
        distance = density_distance(density, d)
        scores = {"density": distance, "classifier": 1 - logits.softmax(1)[:, 0]}
        return scores | {"pred_score": distance}, {}
