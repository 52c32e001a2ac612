"""PaDiM: a Gaussian of what a frozen network sees at every place."""

from dataclasses import dataclass

import torch
from torch import Tensor

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.contract.summaries import MEANINGS
from medad.detectors.features.dense import DenseDetector, Describe
from medad.detectors.features.detector import PRESETS, FeatureOptions
from medad.training.fit import Fit

REGULARISATION = 0.01
AT_ONCE = 256  # places whose covariances are turned together


@dataclass(frozen=True)
class PaDiMOptions(FeatureOptions):
    """Options of PaDiM.

    Attributes
    ----------
    features : int
        Number of channels, drawn from those of all stages; all where there are fewer. The paper has 100 for ResNet-18.
    """

    features: int = ranged(100, 1)


class PaDiM(DenseDetector):
    """Mahalanobis' distance of every place from what normal images show there.

    Scores: ``max`` of the map, which is ``pred_score`` as in the paper; ``mean`` and ``top``.

    Differs from the paper: the network is another by default, and its coarser stages are enlarged bilinearly instead
    of repeated. The filter's width is counted in pixels of images that are smaller here by default.

    References
    ----------
    Defard, Setkov, Loesch, Audigier, PaDiM: a patch distribution modeling framework, ICPR Workshops 2021.
    """

    name = "padim"
    options_type = PaDiMOptions
    meanings = MEANINGS | {"anomaly_map": "distance of each place from what normal images show there, smoothed"}
    presets = PRESETS
    blur = 4.0

    @classmethod
    def learn(cls, plan: Plan, describe: Describe) -> Fit:
        """Return the fit: running sums, from which the Gaussians follow."""
        images = plan.images()
        shape = describe(images(torch.zeros(1, dtype=torch.long, device=plan.device))).shape
        channels = torch.randperm(shape[1])[: plan.options.features].sort().values.to(plan.device)
        tensors = empty_sums(shape[2] * shape[3], len(channels), torch.device(plan.device))

        def update(index: Tensor) -> None:
            add_to_sums(tensors, describe(images(index))[:, channels].flatten(2).permute(2, 0, 1))

        return Fit(cls.name, tensors, update, lambda sums: {"channels": channels} | whitening(sums))

    def compare(self, described: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the distances."""
        x = described[:, self.learned("channels")].flatten(2).permute(2, 1, 0) - self.learned("mean")[:, :, None]
        return torch.bmm(self.learned("whitening"), x).norm(dim=1).T.reshape(-1, *described.shape[2:]), {}


def empty_sums(places: int, channels: int, device: torch.device) -> dict[str, Tensor]:
    """Return the sums of no images: ``count``, ``mean`` and ``scatter``, the sum of products of deviations."""
    return {
        "count": torch.zeros((), dtype=torch.float64, device=device),
        "mean": torch.zeros(places, channels, dtype=torch.float64, device=device),
        "scatter": torch.zeros(places, channels, channels, dtype=torch.float64, device=device),
    }


def add_to_sums(sums: dict[str, Tensor], x: Tensor) -> None:
    """Add descriptors, (places, n, channels), by deviations from means, whose squares do not drown in rounding."""
    x, count = x.double(), x.shape[1]
    total, mean = sums["count"] + count, x.mean(1)
    moved = mean - sums["mean"]
    deviations = x - mean[:, None]
    sums["scatter"].baddbmm_(deviations.mT, deviations)
    weighted = moved * (sums["count"] * count / total)
    sums["scatter"].baddbmm_(weighted[:, :, None], moved[:, None])
    sums["mean"].add_(moved * (count / total))
    sums["count"].copy_(total)


def whitening(sums: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return ``mean`` (places, c) and ``whitening`` (places, c, c): deviations times it have Mahalanobis' length."""
    scatter = sums["scatter"]
    result = torch.empty(scatter.shape, device=scatter.device)
    identity = torch.eye(scatter.shape[1], dtype=torch.float64, device=scatter.device)
    for part, found in zip(scatter.split(AT_ONCE), result.split(AT_ONCE), strict=True):
        factor = torch.linalg.cholesky(part / (sums["count"] - 1) + REGULARISATION * identity)
        found.copy_(torch.linalg.solve_triangular(factor, identity.expand_as(part), upper=False))
    return {"mean": sums["mean"].float(), "whitening": result}
