"""What is lost by choosing without labels: stored, and printed."""

import json

import pytest

from medad.detectors.unlabeled import nu
from medad.evaluation import pools
from medad.experiments.pages.select import page
from medad.experiments.studies.select import store_choices, with_unlabeled
from medad.workflows.options import TrainOptions


@pytest.fixture(scope="module", autouse=True)
def one_strength():
    """Let regressions try one strength: which one is best is tested elsewhere, and takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pools, nu):
            patch.setattr(module, "STRENGTHS", (1e-4,))
        yield


def test_choices_are_stored_and_printed(phantoms, tmp_path):
    options = TrainOptions(preset="tiny", jobs=1, device="cpu", options={"extractor": "pixels"})
    file = store_choices("phantoms", phantoms.parent, tmp_path, (0, 1), ("knn", "nu"), options)
    assert file == tmp_path / "phantoms" / "select.json"
    record = json.loads(file.read_text())
    assert record["images"] == {"normal": 12, "unlabeled": 10, "test": 16} and len(record["seeds"]) == 2
    for one in record["seeds"]:
        figures = one["methods"]
        assert set(figures) == {"knn", "nu"}
        assert figures[one["chosen"]]["auc_u"] == max(f["auc_u"] for f in figures.values())
        assert figures[one["best"]]["auroc"] == max(f["auroc"] for f in figures.values())
        lost = figures[one["best"]]["auroc"] - figures[one["chosen"]]["auroc"]
        assert one["lost"][0] == pytest.approx(lost, abs=1e-4) and one["lost"][0] >= 0
    text = page(tmp_path)
    hits = sum(one["chosen"] == one["best"] for one in record["seeds"])
    assert f"| phantoms | {hits} of 2 |" in text and "## phantoms" in text and "best trivial control" in text


def test_sets_with_unlabeled_images_are_found(phantoms):
    (phantoms.parent / "other").mkdir(exist_ok=True)
    assert with_unlabeled(phantoms.parent) == ["phantoms"]
