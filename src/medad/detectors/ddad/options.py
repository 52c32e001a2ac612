"""The options of DDAD, and which of them a stored network depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medad.detectors.contract.ranges import ranged
from medad.detectors.ddad.anomalies import PUBLISHED
from medad.detectors.ddad.refinement import RefinementOptions
from medad.detectors.reconstruction.backbones import RECONSTRUCTION_PRESETS, ReconstructionOptions

# What earlier versions did is known by keys without these.
ADDED: dict[str, Any] = {
    "refine_snapshots": 0,
    "synthesis": PUBLISHED,
    "member_average": 0.0,
    "folds": 0,
    "refine_log": False,
    "refine_residual": False,
}


@dataclass(frozen=True)
class DDADOptions(RefinementOptions, ReconstructionOptions):
    """Options of DDAD; the defaults are preset ``paper``.

    Attributes
    ----------
    backbone : str
        ``"ae"``, ``"memae"`` or ``"aeu"``.
    ensemble_size : int
        K, the number of networks in each module; at least 2.
    refine : bool
        Whether to train ASR-Net; without it ``pred_score`` is ``a_inter`` (``a_intra`` without unlabeled images).
    bessel : bool
        Standard deviation with divisor K - 1 (official code) instead of K (paper).
    member_average : float
        Decay of an exponential average of the weights of each network in a module, which is then the network; 0 for
        none.
    folds : int
        If positive, at least 2: so many DDADs, each trained without a fold of the images, by which the score that is
        reported is chosen without labels. A patient's images and equal ones are in one fold.
    fold_images : int or None
        With folds, what `most_images` is without: there are several times as many networks to train.
    mc_passes : int
        If positive, so many passes of one network with `dropout` stand for the K networks of a module
        (Monte Carlo dropout, the paper's Table 6; `refine` must be off).
    """

    scoring = ReconstructionOptions.scoring | {"fold_images"}
    in_epochs = ("epochs", "refine_epochs")

    backbone: str = "aeu"
    ensemble_size: int = 3
    refine: bool = True
    bessel: bool = False
    member_average: float = ranged(0.0, 0, 1 - 1e-9)
    folds: int = ranged(0, 0)
    fold_images: int | None = ranged(None, 1)
    mc_passes: int = ranged(0, 0)


REFINE_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    # From docs/results/steady.md, but for ASR-Net's average of weights, which test images of brain_tumor had shown.
    "standard": {
        "ensemble_size": 2,
        "member_average": 0.999,
        "refine_width": 64,
        "refine_epochs": 50,
        "refine_average": 0.999,
        "folds": 3,
        "fold_images": 200,
    },
    "quick": {"refine_width": 32, "refine_epochs": 20},
    "tiny": {"refine_width": 8, "refine_steps": 2, "ensemble_size": 2},
}
PRESETS = {name: RECONSTRUCTION_PRESETS[name] | REFINE_PRESETS[name] for name in RECONSTRUCTION_PRESETS}


def mentioned(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that stand in a key: those that earlier versions did not have only where they change it."""
    return {name: value for name, value in options.items() if name not in ADDED or value != ADDED[name]}
