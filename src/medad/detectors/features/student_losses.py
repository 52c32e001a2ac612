"""What a teacher of students makes small, and what the students' maps are made of (Bergmann et al., CVPR 2020)."""

import torch
from torch import Tensor
from torch.nn import functional as F

MARGIN = 1.0


def knowledge_loss(decoded: Tensor, target: Tensor) -> Tensor:
    """L_k: the squared distance of rows (n, k) from what an extractor says of the same patches, mean over n."""
    return (decoded.float() - target).square().sum(1).mean()


def metric_loss(anchor: Tensor, alike: Tensor, other: Tensor, margin: float = MARGIN) -> Tensor:
    """L_m: by how much too little others are farther away than what is alike, mean over triplets.

    Parameters
    ----------
    anchor, alike, other : Tensor
        (n, k) descriptors T(p), T(p+) and T(p-): of patches, of the same slightly changed, and of other patches.
    margin : float
        Delta, by which the smaller of the squared distances of `other` from both should exceed that between both.
    """
    near = _squared(anchor, alike)
    far = torch.minimum(_squared(anchor, other), _squared(alike, other))
    return (margin + near - far).clamp(min=0).mean()


def compactness_loss(descriptors: Tensor) -> Tensor:
    """L_c: the squared correlation of two of the k numbers over the n rows of (n, k), mean over all pairs."""
    k = descriptors.shape[1]
    centred = descriptors.float() - descriptors.float().mean(0)
    correlation = (unit := F.normalize(centred, dim=0, eps=1e-6)).T @ unit
    return (correlation.square().sum() - correlation.diagonal().square().sum()) / max(k * (k - 1), 1)


def error_and_disagreement(students: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far students are from the teacher together, and from each other.

    Parameters
    ----------
    students : Tensor
        (M, n, k, h, w).
    teacher : Tensor
        (n, k, h, w).

    Returns
    -------
    e, v : Tensor
        (n, h, w), not negative: the squared distance of the students' mean from the teacher, and
        mean_i ||S_i||^2 - ||mean_i S_i||^2, computed from the students' differences, so that it is 0 where all agree.
    """
    error = (students.mean(0) - teacher).square().sum(1)
    members = len(students)
    pairs = [(i, j) for i in range(members) for j in range(i)]
    spread = sum(((students[i] - students[j]).square().sum(1) for i, j in pairs), torch.zeros_like(error))
    return error, spread / members**2


def _squared(a: Tensor, b: Tensor) -> Tensor:
    return (a.float() - b.float()).square().sum(1)
