"""Methods on a random part of all places of the normal images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.features.components import learn_components, projected
from medad.detectors.features.dense import DenseDetector, Describe, as_rows
from medad.detectors.features.detector import FeatureOptions
from medad.training.fit import Fit
from medad.training.seeds import derive_seed


@dataclass(frozen=True)
class SampledOptions(FeatureOptions):
    """Options of methods on a random part of all places.

    Attributes
    ----------
    samples : int
        Number of places, of all normal images together, whose descriptors are learned from.
    variance : float
        Share of their variance, standardised, that the principal components hold by which places are compared.
    """

    samples: int = ranged(50_000, 2)
    variance: float = ranged(0.95, 0, 1)


PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "standard": {"holdout": 0.1},
    "quick": {},
    "tiny": {"size": 64, "samples": 60},
}


class SampledDetector(DenseDetector):
    """A method that learns from the descriptors of random places, by their principal components."""

    options_type = SampledOptions
    used = slice(-2, None)
    presets = PRESETS

    @classmethod
    def estimate(cls, options: Any, rows: np.ndarray, seed: int) -> dict[str, Tensor]:
        """Return what is learned of places by their components, `rows` (m, p) float64."""
        raise NotImplementedError

    def distances(self, rows: Tensor) -> Tensor:
        """Return how abnormal places are, (n,), by their components, `rows` (n, p) float64."""
        raise NotImplementedError

    @classmethod
    def learn(cls, plan: Plan, describe: Describe) -> Fit:
        """Return the fit: it draws places while it looks at images, then learns from them."""
        images, options = plan.images(), plan.options
        dimensions = describe(images(torch.zeros(1, dtype=torch.long, device=plan.device))).shape[1]
        reservoir = Reservoir(options.samples, dimensions, torch.device(plan.device))

        def finish(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            rows = reservoir.drawn()
            with threadpool_limits(1):  # everywhere the same
                components = learn_components(rows.cpu().numpy(), options.variance)
                by_components = projected(components, rows.cpu()).numpy()
                return components | cls.estimate(options, by_components, derive_seed(plan.seed, cls.name) % 2**32)

        def update(index: Tensor) -> None:
            reservoir.add(as_rows(describe(images(index))))

        return Fit(cls.name, reservoir.tensors, update, finish)

    def compare(self, described: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return how abnormal places are."""
        n, _, h, w = described.shape
        components = {name: self.learned(name) for name in ("mean", "scale", "components")}
        return self.distances(projected(components, as_rows(described))).view(n, h, w), {}


class Reservoir:
    """A uniformly random part of rows that come some at a time: every row has a random key, the smallest stay.

    Parameters
    ----------
    size, dimensions : int
        Number of rows to keep, and of their columns.
    device : device
        Where they lie.

    Attributes
    ----------
    tensors : dict
        ``rows`` (size, dimensions) and their ``keys`` (size,) in rising order, infinite where there is no row yet.
    """

    def __init__(self, size: int, dimensions: int, device: torch.device) -> None:
        self.tensors = {
            "rows": torch.zeros(size, dimensions, device=device),
            "keys": torch.full((size,), torch.inf, dtype=torch.float64, device=device),
        }

    def add(self, rows: Tensor) -> None:
        """Offer rows, (n, dimensions); their keys come from torch's default generator."""
        kept, keys = self.tensors["rows"], self.tensors["keys"]
        fresh = torch.rand(len(rows), dtype=torch.float64).to(rows.device)
        offered = (fresh < keys[-1]).nonzero()[:, 0]
        all_keys = torch.cat([keys, fresh[offered]])
        best = all_keys.argsort(stable=True)[: len(keys)]
        kept.copy_(torch.cat([kept, rows[offered]])[best])
        keys.copy_(all_keys[best])

    def drawn(self) -> Tensor:
        """Return the rows that are there, (m, dimensions)."""
        return self.tensors["rows"][self.tensors["keys"].isfinite()]
