"""The one list of metrics: metrics.json, the tables of reports, and the columns of grids follow from it.

A new metric is one row of `METRICS`.
"""

from collections.abc import Callable

import numpy as np

from medad.evaluation.chi_squared import chi_squared_draws
from medad.evaluation.curves import (
    CurveMetric,
    auroc_of_counts,
    average_precision_of_counts,
    best_dice_of_counts,
    pro_of_counts,
)
from medad.evaluation.intervals import (
    Ends,
    ap_interval,
    auroc_interval,
    class_sizes,
    proportion_interval,
    spread_interval,
)
from medad.evaluation.metric import Estimate, Level, Metric
from medad.evaluation.metrics import (
    au_pro,
    auroc,
    average_precision,
    best_dice,
    chi_squared_distance,
    fpr_at_tpr,
    pixel_auroc,
    pixel_average_precision,
    sensitivity_at_specificity,
)
from medad.evaluation.operating_points import fpr_interval, sensitivity_interval


def listed(*levels: Level, headline: bool = False) -> list[Metric]:
    """Return the metrics of these levels in the order of the list, or only those that are a `headline`."""
    return [metric for metric in METRICS if metric.level in levels and (metric.headline or not headline)]


def _auroc_interval(e: Estimate) -> Ends:
    return auroc_interval(e.truth, e.scores, e.patients, e.training)


def _ap_interval(e: Estimate) -> Ends:
    return ap_interval(e.value, e.sd, e.truth, e.scores, e.patients, e.training)


def _chi_squared_interval(e: Estimate) -> Ends:
    sd = float(chi_squared_draws(e.truth, e.scores, e.patients).std(ddof=1))
    low, high = spread_interval(e.value / 100, sd / 100, min(class_sizes(e.truth, e.patients)), e.training / 100)
    return 100 * low, 100 * high


def _fpr_interval(e: Estimate) -> Ends:
    return fpr_interval(e.truth, e.scores, e.patients, e.training)


def _sensitivity_interval(e: Estimate) -> Ends:
    return sensitivity_interval(e.truth, e.scores, e.patients, e.training)


def _pixel_interval(e: Estimate) -> Ends:
    sizes = class_sizes(np.any(e.truth, axis=(1, 2)), e.patients)
    return spread_interval(e.value, e.sd, min(size for size in sizes if size))


def _of_pixels(metric: CurveMetric) -> Callable[..., np.ndarray]:
    """Return a metric of pixels, which does not ask for their regions, as a function of all three counts."""
    return lambda tp, fp, covered: metric(tp, fp)


def _pro_of_pixels(tp: np.ndarray, fp: np.ndarray, covered: np.ndarray) -> np.ndarray:
    return pro_of_counts(covered, fp, 0.3)


def _right(label: int) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return the share of the images of a class that are called so; NaN where there are none."""
    return lambda labels, called: float((called[labels == label] == label).mean()) if label in labels else float("nan")


def _right_interval(label: int) -> Callable[[Estimate], Ends]:
    def interval(e: Estimate) -> Ends:
        chosen = np.flatnonzero(e.truth == label)
        whose = None if e.patients is None else [e.patients[int(i)] for i in chosen]
        return proportion_interval(e.scores[chosen] == label, whose)

    return interval


AUROC = Metric(
    "auroc",
    "AUROC",
    "in how many of all pairs of an abnormal and a normal image the abnormal one has the higher score; by chance in "
    "50 %.",
    "image",
    auroc,
    _auroc_interval,
    headline=True,
)
AP = Metric(
    "ap",
    "AP",
    "how many of the images above a threshold are abnormal, averaged over thresholds; by chance their share of all "
    "images, so compare it neither between test sets nor between kinds of abnormality.",
    "image",
    average_precision,
    _ap_interval,
    average_precision_of_counts,
    headline=True,
)
FPR_AT_TPR = Metric(
    "fpr_at_95_tpr",
    "FPR at 95 % TPR",
    "false alarms (false positive rate), if 95 of 100 abnormal images are to be found (true positive rate): how many "
    "of the normal images are called abnormal, too, by the threshold that does so on these test images. Lower is "
    "better; by chance 95 %.",
    "image",
    fpr_at_tpr,
    _fpr_interval,
    higher=False,
)
SENSITIVITY_AT_SPECIFICITY = Metric(
    "sensitivity_at_95_specificity",
    "sens. at 95 % spec.",
    "findings (sensitivity), if at most 5 of 100 normal images may raise a false alarm (specificity): how many of the "
    "abnormal images are found by the threshold that does so on these test images; by chance 5 %.",
    "image",
    sensitivity_at_specificity,
    _sensitivity_interval,
)
CHI2 = Metric(
    "chi2",
    "χ²",
    "distance of the histograms of normal and abnormal scores, from 0 (alike) to 100 (no bin holds both).",
    "image",
    chi_squared_distance,
    _chi_squared_interval,
    percent=False,
)
SENSITIVITY = Metric(
    "sensitivity",
    "sensitivity",
    "how many of the abnormal images the detector's own threshold finds.",
    "decision",
    _right(1),
    _right_interval(1),
)
SPECIFICITY = Metric(
    "specificity",
    "specificity",
    "how many of the normal images the detector's own threshold spares.",
    "decision",
    _right(0),
    _right_interval(0),
)
PIXEL_AUROC = Metric(
    "auroc",
    "pixel AUROC",
    "in how many of all pairs of an abnormal and a normal pixel the abnormal one is the higher one in the map; by "
    "chance in 50 %. Lesions are small, so it is high even where maps miss much: read it beside the others.",
    "pixel",
    pixel_auroc,
    _pixel_interval,
    _of_pixels(auroc_of_counts),
)
PIXEL_AP = Metric(
    "ap",
    "pixel AP",
    "how many of the pixels above a threshold are abnormal, averaged over thresholds; by chance their share.",
    "pixel",
    pixel_average_precision,
    _pixel_interval,
    _of_pixels(average_precision_of_counts),
)
AU_PRO = Metric(
    "au_pro",
    "AU-PRO",
    "how much of each lesion, large or small, the map covers, averaged over thresholds with false positive rates up to "
    "30 %; by chance 15 %.",
    "pixel",
    au_pro,
    _pixel_interval,
    _pro_of_pixels,
)
BEST_DICE = Metric(
    "best_dice",
    "best Dice (oracle)",
    "overlap of found and true regions. Oracle: the threshold was chosen on the masks themselves, which is no result "
    "but an upper bound.",
    "pixel",
    best_dice,
    _pixel_interval,
    _of_pixels(best_dice_of_counts),
)

METRICS: tuple[Metric, ...] = (
    *(AUROC, AP, FPR_AT_TPR, SENSITIVITY_AT_SPECIFICITY, CHI2),
    *(SENSITIVITY, SPECIFICITY),
    *(PIXEL_AUROC, PIXEL_AP, AU_PRO, BEST_DICE),
)
