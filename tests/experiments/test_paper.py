"""Published figures stand beside runs of the same recipe only."""

import pytest

from medad.experiments.paper import published_auroc, published_figures


def test_only_table_3_has_published_figures():
    assert published_auroc("brain_tumor", "aeu", "r_dual") == 97.2
    assert published_auroc("brain_tumor", "ae", "a_rec_1") is None
    assert published_auroc("phantom", "ae", "a_rec") is None


@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        ("ddad", {"backbone": "aeu"}, (97.2, 95.2, 1)),
        ("ddad", {"backbone": "aeu", "refine": False}, None),
        ("ae", {"form": "ddad"}, (79.7, 71.9, 1)),
        ("ae", {"form": "medianomaly"}, (85.9, 76.9, 2)),
        ("ae", {"form": "ddad", "loss": "ssim"}, None),
        ("aeu", {"form": "medianomaly"}, None),
        ("vae", {}, (85.3, None, 2)),
        ("ceae", {}, (85.3, None, 2)),
        ("fpi", {"use_unlabeled": True}, (86.6, 83.8, 1)),
        ("fpi", {"use_unlabeled": False}, (83.1, 78.9, 1)),
        ("nonsense", {}, None),
    ],
)
def test_published_figures_are_those_of_the_same_recipe(method, options, expected):
    run = {"method": method, "options": options, "unlabeled": True}
    assert published_figures("brain_tumor", run) == expected
    assert published_figures("elsewhere", run) is None
