"""Positive-unlabeled learning with the non-negative risk, on frozen features."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from medad.detectors.contract.division import FoldData
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.features.detector import PIXELS_IN_TESTS
from medad.detectors.unlabeled.fold_fits import HELD_SCORES
from medad.detectors.unlabeled.out_of_fold import Model, OutOfFoldDetector, OutOfFoldOptions
from medad.detectors.unlabeled.share import normal_share
from medad.evaluation.standard import standard_of
from medad.training.phase import adam

SNAPSHOTS = (10, 30, 100, 300)  # numbers of steps among which is chosen
BATCH = 128  # of each pool, if it has so many
HIDDEN = 64
LR, WEIGHT_DECAY = 1e-3, 5e-3


@dataclass(frozen=True)
class NNPUOptions(OutOfFoldOptions):
    """Options of the network.

    Attributes
    ----------
    normal_share : float or None
        Share of normal images among the unlabeled ones; estimated if not given.
    """

    normal_share: float | None = ranged(None, 0.01, 0.99)


class NNPU(OutOfFoldDetector):
    """A small network that learns from normal images, as the labelled class, and unlabeled ones.

    What the unlabeled images cost as abnormal ones includes what the normal among them cost; that part is known from
    the normal images and taken off. Where less than nothing remains, the network has begun to learn single images by
    heart, and the step goes back.

    The share of normal images is estimated by the best bin (Garg et al.) where it is not given. When to stop is chosen
    by how well held-out images are told apart; no label is needed.

    Scores: ``nnpu``, minus the network's output for normal, which is ``pred_score``. There are no maps.

    Differs from the paper: one hidden layer on standardised descriptors in place of deep networks on pixels; every step
    sees as many normal as unlabeled images; the number of steps is chosen.

    References
    ----------
    Kiryo, Niu, du Plessis, Sugiyama, Positive-unlabeled learning with non-negative risk estimator, NeurIPS 2017; Garg,
    Wu, Smola, Balakrishnan, Lipton, Mixture proportion estimation and PU learning, NeurIPS 2021.
    """

    name = "nnpu"
    options_type = NNPUOptions
    fold_name = "nnpu"
    meanings = {
        "nnpu": "how abnormal, by a network that learned from normal and unlabeled images",
        "distance": "distance from the normal images (no unlabeled ones were given)",
    }
    presets = PIXELS_IN_TESTS

    @classmethod
    def learn_fold(cls, plan: Plan, data: FoldData) -> Model:
        """Return the network's weights after so many steps, stacked, and the share of normal images."""
        share = normal_share(data) if plan.options.normal_share is None else plan.options.normal_share
        mean, scale = standard_of(data.rows)
        normal, unlabeled = (_standard(part, mean, scale) for part in (data.normal, data.unlabeled))
        found = train(normal, unlabeled, share, data.seed)
        found |= {"mean": torch.from_numpy(mean), "scale": torch.from_numpy(scale), "share": torch.tensor(share)}
        held = torch.from_numpy(data.held)
        return found | {HELD_SCORES: torch.stack([score(found, i, held) for i in range(len(SNAPSHOTS))], 1)}

    def judge_fold(self, model: Model, d: Tensor) -> Tensor:
        """Return minus the network's output."""
        return score(model, self.chosen, d)


def non_negative_risk(normal: Tensor, unlabeled: Tensor, share: float) -> Tensor:
    """Return what a step makes small: the non-negative risk with the sigmoid loss, or, where that has reached 0, less.

    Parameters
    ----------
    normal, unlabeled : Tensor
        (n,) and (m,) outputs of the network, positive for normal.
    share : float
        Of normal images among the unlabeled ones.

    Returns
    -------
    Tensor
        pi mean(l(normal)) + R, with l(z) = sigmoid(-z) and R = mean(l(-unlabeled)) - pi mean(l(-normal)); where R is
        negative, -R instead (the paper's algorithm 1, beta = 0, gamma = 1).
    """
    positive = share * torch.sigmoid(-normal).mean()
    negative = torch.sigmoid(unlabeled).mean() - share * torch.sigmoid(normal).mean()
    return torch.where(negative < 0, -negative, positive + negative)


@torch.enable_grad()
def train(normal: Tensor, unlabeled: Tensor, share: float, seed: int) -> Model:
    """Return the weights of a network trained on standardised rows, those of all snapshots stacked."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Linear(normal.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    for weight in network.parameters():
        bound = (normal.shape[1] if weight.shape[0] == HIDDEN else HIDDEN) ** -0.5
        nn.init.uniform_(weight, -bound, bound, generator=generator)
    optimiser = adam(network, LR, WEIGHT_DECAY, (0.9, 0.999))
    kept, batch = [], min(BATCH, max(len(normal), len(unlabeled)))
    for step in range(1, SNAPSHOTS[-1] + 1):
        rows = [part[torch.randint(len(part), (batch,), generator=generator)] for part in (normal, unlabeled)]
        first, second = network(torch.cat(rows))[:, 0].split(batch)
        optimiser.zero_grad()
        non_negative_risk(first, second, share).backward()
        optimiser.step()
        if step in SNAPSHOTS:
            kept.append({name: value.clone() for name, value in network.state_dict().items()})
    return {name: torch.stack([state[name] for state in kept]) for name in kept[0]}


def score(model: Model, snapshot: int, d: Tensor) -> Tensor:
    """Return minus the output, (n,) float64, of descriptors `d` (n, D) by a snapshot of the network."""
    state = {n: model[n][snapshot].double() for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
    x = (d.double() - model["mean"]) / model["scale"]
    hidden = (x @ state["0.weight"].T + state["0.bias"]).relu()
    return -(hidden @ state["2.weight"].T + state["2.bias"])[:, 0]


def _standard(rows: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Tensor:
    return torch.from_numpy(((rows - mean) / scale).astype(np.float32))
