"""What methods on Deep SVDD's network have in common as detectors."""

from typing import Any, ClassVar, cast

from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.options import STANDARD, Options
from medad.detectors.contract.plan import Plan
from medad.detectors.one_class.svdd_networks import CODE_SIDE, SVDD
from medad.detectors.one_class.svdd_training import PRETRAINING, SVDDOptions, make_svdd, pretraining_phase, svdd_phase
from medad.errors import OptionError
from medad.training.phase import Phase
from medad.training.spec import Recipe, Spec

SVDD_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "standard": STANDARD,
    "quick": {
        "width": 8,
        "batch_size": 50,
        "lr": 1e-3,
        "pretrain_epochs": 30,
        "pretrain_milestone": 20,
        "epochs": 20,
        "milestone": 10,
    },
    "tiny": {"width": 2, "latent": 16, "steps": 2, "pretrain_steps": 2},
}


class SVDDDetector(Detector):
    """A method with Deep SVDD's network, pretrained as an autoencoder; the score is the distance to the centre."""

    options_type: ClassVar[type[Options]] = SVDDOptions
    meanings = {}
    threads = 2
    presets = SVDD_PRESETS

    def __init__(self, options: Any = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        if self.options.latent % CODE_SIDE**2:
            raise OptionError("latent", f"choose a multiple of {CODE_SIDE**2}", self.options.latent)

    @classmethod
    def pulling(cls, plan: Plan, recipe: Recipe) -> Phase:
        """Return the phase of the second stage."""
        return svdd_phase(plan, recipe, cls.name)

    def build(self) -> dict[str, nn.Module]:
        """Return the network; the decoder is of no use any more."""
        return {self.name: make_svdd(self.options)}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the autoencoder's phase, then the method's own, on the unlabeled images, too, if it uses them."""
        plan = plan if self.uses_unlabeled else plan.normal
        first = plan.with_options(plan.options.of_pretraining())
        return [
            [self.spec(first, PRETRAINING, pretraining_phase, first.options.recipe(first.count))],
            [self.spec(plan, self.name, self.pulling, plan.options.recipe(plan.count))],
        ]

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the distances."""
        return {"pred_score": cast(SVDD, self.folded_[self.name]).score(x)}, {}
