"""Methods that look at every normal image once, without gradient steps: banks, means, Gaussians, regressions."""

from functools import partial
from typing import Any

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import Plan
from medad.training.fit import Fit
from medad.training.pixels import Pixels
from medad.training.spec import Recipe, Spec, Sweep

BATCH = 64  # images at a time


class OneFitDetector(Detector):
    """A method that is one fit to the normal images."""

    @classmethod
    def learn(cls, options: Any, images: Pixels) -> Fit:
        """Return the fit, named as the method: what it keeps of `images`, and how a batch changes it."""
        raise NotImplementedError

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return one stage with one fit."""
        build = partial(_fit, learn=self.learn)
        return [[self.spec(plan.normal, self.name, build, Sweep(plan.normal.count, BATCH))]]


def _fit(plan: Plan, recipe: Recipe, learn: Any) -> Fit:
    return learn(plan.options, plan.images())
