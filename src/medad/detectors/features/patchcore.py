"""PatchCore: the nearest of a few well spread normal places, on frozen features."""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional as F

from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.contract.summaries import MEANINGS
from medad.detectors.features.coreset import Coreset
from medad.detectors.features.dense import DenseDetector, Describe, as_rows, on_one_grid
from medad.detectors.features.detector import PRESETS, FeatureOptions
from medad.detectors.features.extractors.contract import Extractor
from medad.detectors.features.nearest_rows import nearest
from medad.training.fit import Fit

PROJECTED = 128  # dimensions in which the coreset's distances are measured


@dataclass(frozen=True)
class PatchCoreOptions(FeatureOptions):
    """Options of PatchCore.

    Attributes
    ----------
    share : float
        Of all places of the normal images that are kept,
    most_rows : int
        but no more than these: time of scoring grows with them.
    neighbours : int
        Of the matching normal place, by which the score is weighted.
    """

    share: float = ranged(0.1, 0, 1)
    most_rows: int = ranged(10_000, 1)
    neighbours: int = ranged(9, 1)


class PatchCore(DenseDetector):
    """Distance of every place, with those around it, from the most similar normal place of a coreset.

    Scores: ``weighted``, which is ``pred_score``: the largest distance times one minus the softmax weight that it has
    among the distances to the neighbours of its match (equation 7 of the paper); ``max``, ``mean`` and ``top`` of
    the map.

    Differs from the paper: the network is another by default, the map's filter is counted in pixels of images that
    are smaller here by default, and the coreset has a largest size. It is chosen while images are looked at, from
    random parts of them, so that memory does not grow with their number; of few images it is the paper's.

    References
    ----------
    Roth, Pemula, Zepeda, Schölkopf, Brox, Gehler, Towards total recall in industrial anomaly detection, CVPR 2022.
    """

    name = "patchcore"
    options_type = PatchCoreOptions
    meanings = MEANINGS | {
        "weighted": "largest distance from normal places, weighted by how usual the most similar one is",
        "anomaly_map": "distance of each place from the most similar normal place, smoothed",
    }
    presets = PRESETS
    used = slice(-2, None)
    blur = 4.0
    chosen = "weighted"

    @classmethod
    def descriptors(cls, extractor: Extractor, x: Tensor) -> Tensor:
        """Return the means over 3 x 3 places of two stages, on the grid of the finer one."""
        maps = extractor(x)
        return on_one_grid([F.avg_pool2d(maps[name].float(), 3, 1, 1) for name in extractor.dense[cls.used]], extractor)

    @classmethod
    def learn(cls, plan: Plan, describe: Describe) -> Fit:
        """Return the fit: the coreset of places."""
        images, options, device = plan.images(), plan.options, torch.device(plan.device)
        _, dimensions, h, w = describe(images(torch.zeros(1, dtype=torch.long, device=device))).shape
        total = plan.count * h * w
        size = min(max(round(options.share * total), 1), options.most_rows)
        order = torch.randperm(plan.count).to(device)  # so that every chunk is a random part of the images
        coreset = Coreset(total, size, dimensions, projection(dimensions, device), device)

        def update(index: Tensor) -> None:
            coreset.add(as_rows(describe(images(order[index]))))

        return Fit(cls.name, coreset.tensors, update, lambda tensors: {"bank": tensors["rows"]})

    def compare(self, described: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the distances, and the weighted score."""
        n, _, h, w = described.shape
        rows, bank = as_rows(described), self.learned("bank")
        distances, matches = (found.view(n, h * w) for found in nearest(rows, bank))
        largest, place = distances.max(1)
        farthest = rows.view(n, h * w, -1)[torch.arange(n, device=place.device), place]
        match = matches.gather(1, place[:, None])[:, 0]
        weight = weights(farthest, bank, match, self.options.neighbours, largest)
        return distances.view(n, h, w), {"weighted": largest * weight}


def weights(rows: Tensor, bank: Tensor, match: Tensor, neighbours: int, distances: Tensor) -> Tensor:
    """Return what the distances (n,) of `rows` (n, D) from their matches in `bank` are multiplied by, (n,)."""
    if len(bank) == 1:
        return torch.ones_like(distances)
    _, around = nearest(bank[match], bank, min(neighbours, len(bank)))
    to_these = (rows[:, None].double() - bank[around].double()).norm(dim=2)
    return 1 - torch.exp(distances - to_these.logsumexp(1))


def projection(dimensions: int, device: torch.device) -> Tensor | None:
    """Return a random projection that nearly keeps distances, (dimensions, `PROJECTED`); None where it saves nothing.

    Johnson and Lindenstrauss 1984, as in the paper.
    """
    if dimensions <= PROJECTED:
        return None
    return (torch.randn(dimensions, PROJECTED) / sqrt(PROJECTED)).to(device)
