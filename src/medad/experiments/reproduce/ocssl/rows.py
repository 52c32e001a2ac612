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


FEW = SEEDS[:3]  # of what takes a minute or more
QUICK: dict[str, Any] = {
    "preset": "quick",
    "seeds": (0,),
    "note": "preset quick: shortened, its figure says nothing of the paper's",
}
ROWS = (
    Row("knn", "knn"),
    Row("mahalanobis", "mahalanobis"),
    Row("pca", "pca"),
    Row("nu", "nu"),
    Row("knn_ratio", "knn_ratio"),
    Row("nu_knn", "nu_knn"),
    Row("nnpu", "nnpu"),
    Row("nu_trees", "nu_trees", seeds=FEW),
    Row("pixels-trees", "nu_trees", options={"extractor": "pixels"}, seeds=FEW, note="trees on 32 x 32 pixels"),
    Row("padim", "padim", seeds=(0,)),
    Row("patchcore", "patchcore", seeds=(0,)),
    Row("nearest_patch", "nearest_patch", seeds=(0,)),
    Row("ocsvm", "ocsvm", seeds=(0,)),
    Row("kmeans", "kmeans", seeds=(0,)),
    Row("cnn_feature_dictionary", "cnn_feature_dictionary", seeds=(0,)),
    Row("feature_ddad", "feature_ddad", seeds=(0,)),
    Row("student_teacher", "student_teacher", **QUICK),
    Row("deep_sad", "deep_sad", **QUICK),
    Row("loe", "loe", **QUICK),
    Row("d2ue", "d2ue", **QUICK),
)
SHORTENED = frozenset(row.name for row in ROWS if row.preset == "quick")
