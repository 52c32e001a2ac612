"""Forests of scikit-learn as plain arrays, walked by torch."""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor


def packed(forest: ExtraTreesClassifier) -> dict[str, Tensor]:
    """Return a fitted forest as arrays over the nodes of all trees, one tree after the other.

    Returns
    -------
    dict
        ``roots`` (trees,); ``right``, the right child of each node, which of a leaf is the leaf itself (the left child
        is the next node); ``feature``, at which it looks; ``threshold``, up to which one goes left, and of a leaf the
        probability of the second class.
    """
    trees = [estimator.tree_ for estimator in forest.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
    leaf = np.concatenate([tree.children_left for tree in trees]) < 0
    own, start = np.arange(len(leaf)), np.repeat(roots, [tree.node_count for tree in trees])
    assert (np.concatenate([tree.children_left for tree in trees])[~leaf] + start[~leaf] == own[~leaf] + 1).all()
    right = np.where(leaf, own, np.concatenate([tree.children_right for tree in trees]) + start)
    feature = np.where(leaf, 0, np.concatenate([tree.feature for tree in trees]))
    probability = np.concatenate([tree.value[:, 0, 1] / tree.value[:, 0].sum(1) for tree in trees])
    threshold = np.where(leaf, probability, _rounded_down(np.concatenate([tree.threshold for tree in trees])))
    whole = {"roots": roots, "right": right, "feature": feature}
    found = {name: torch.from_numpy(value.astype(np.int32)) for name, value in whole.items()}
    return found | {"threshold": torch.from_numpy(threshold.astype(np.float32))}


def probability(forest: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Return the probability of the second class, (n,) float64, of `x` (n, D) float32: the mean over the trees."""
    node = forest["roots"].long().expand(len(x), -1)
    while True:
        right = forest["right"][node].long()
        inside = right != node
        if not inside.any():
            return forest["threshold"][node].double().mean(1)
        left = x.gather(1, forest["feature"][node].long()) <= forest["threshold"][node]
        node = torch.where(inside & left, node + 1, right)


def _rounded_down(threshold: np.ndarray) -> np.ndarray:
    """Return the largest float32 numbers that are not above: a float32 is below them if it is below the threshold."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
