"""The methods of the table."""

from dataclasses import dataclass, field
from typing import Any

SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Row:
    """A method as it stands in the table.

    Attributes
    ----------
    name : str
        Of its file among the stored results.
    method, preset, options
        Make the detector.
    seeds : tuple of int
        Its trainings; a method without chance is fitted once.
    note : str
        What differs from the other rows, for the page.
    """

    name: str
    method: str
    preset: str = "paper"
    options: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = SEEDS
    note: str = ""


ROWS = (
    Row("knn", "knn"),
    Row("mahalanobis", "mahalanobis"),
    Row("pca", "pca"),
    Row("padim", "padim"),
    Row("patchcore", "patchcore"),
    Row("ocsvm", "ocsvm"),
    Row("kmeans", "kmeans"),
    Row("cnn_feature_dictionary", "cnn_feature_dictionary"),
    Row("nu", "nu"),
    Row("nu_trees", "nu_trees"),
    Row("pixels-trees", "nu_trees", options={"extractor": "pixels"}, note="32 x 32 pixels instead of features"),
    Row("nnpu", "nnpu"),
    Row("knn_ratio", "knn_ratio"),
    Row("nu_knn", "nu_knn"),
    Row("feature_ddad", "feature_ddad", seeds=(0,)),
    Row("student_teacher", "student_teacher", preset="quick", seeds=(0,), note="preset quick"),
    Row("deep_sad", "deep_sad", seeds=(0,)),
    Row("loe", "loe", seeds=(0,)),
    Row("d2ue", "d2ue", seeds=(0,)),
)
