"""Exact maps of what is a sum over a descriptor's deviations from normal."""

from torch import Tensor

from medad.detectors.features.extractors.contract import Extractor, Maps


def deviation_map(extractor: Extractor, maps: Maps, weights: Tensor, mean: Tensor, size: int) -> Tensor:
    """Return what each place adds to the sum over numbers of weight times deviation from `mean`.

    Parameters
    ----------
    extractor : Extractor
        Whose descriptors they are.
    maps : dict
        Of its stages, for n images.
    weights : Tensor
        (n, D), one row for each image.
    mean : Tensor
        (D,), of normal images.
    size : int
        S.

    Returns
    -------
    Tensor
        (n, S, S), whose means over places are these sums.
    """
    normal = (weights * mean).sum(1).float()  # what an image like the mean would add
    return extractor.contributions(maps, weights, size) - normal[:, None, None]
