"""What the AUROC of unlabeled against normal images says, in plain words."""

from medad.detectors.contract.detector import Detector

Figures = tuple[float, float, float]


def auc_u_of(detector: Detector) -> Figures | None:
    """Return the figure of a fitted detector that learns in folds, with the ends of its interval; None of others."""
    return getattr(detector, "auc_u_", None)


def nothing_to_learn(auc_u: Figures) -> bool:
    """Return whether the interval of the figure holds .5, or lies below it."""
    return auc_u[1] <= 0.5


def told(auc_u: Figures) -> str:
    """Return what an AUC_u, with the ends of its interval, means for an archive held against normal images."""
    figure = "AUC_u {:.3f}, 95 % interval {:.3f} to {:.3f}".format(*auc_u)
    if nothing_to_learn(auc_u):
        return (
            f"The archive cannot be told from the normal images ({figure}; .5 is guessing): nothing is to be learned."
        )
    return (
        f"The archive differs from the normal images: shown one of each, a model that has seen neither takes the right "
        f"one for the archive's in {100 * auc_u[0]:.0f} of 100 cases ({figure}; 50 of 100 would be guessing). How far "
        "that is disease and not scanner, age or year, medad audit helps to tell."
    )
