"""The page of blind detectors: what is stored of small runs, and what stands on the page."""

import json

import pytest

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.experiments.pages.stress import page, pictures
from medad.experiments.studies import stress
from medad.workflows.options import TrainOptions


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stress")
    write_phantoms(folder / "phantoms", phantom_benchmark(normal=12, unlabeled=12, test=(22, 2)))
    tiny = {"preset": "tiny", "device": "cpu", "jobs": 1}
    trained = {
        "ae": TrainOptions("ae", **tiny),
        "nu": TrainOptions("nu", options={"extractor": "pixels"}, **tiny),
        "knn": TrainOptions("knn", options={"extractor": "pixels"}, **tiny),  # it has no maps
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stress, "TRAINED", trained)
        patch.setattr("medad.experiments.pages.stress.TRAINED", trained)
        for method in trained:
            stress.store("phantoms", folder, method, folder / "results", folder / "work")
        before = (folder / "results" / "phantoms" / "stress" / "nu.json").read_bytes()
        stress.store("phantoms", folder / "nowhere", "nu", folder / "results", folder / "work")  # is not computed again
        assert (folder / "results" / "phantoms" / "stress" / "nu.json").read_bytes() == before
        yield folder / "results", page(folder / "results")


def test_every_map_and_score_stands_in_the_tables(stored):
    folder, text = stored
    found = {m: json.loads((folder / "phantoms" / "stress" / f"{m}.json").read_text()) for m in ("ae", "nu", "knn")}
    for method, one in found.items():
        for level, names in (("image", one["scores"]), ("pixel", one["maps"])):
            for name in names:
                cells = [cell[level][name] for cell in one["cells"]]
                seen, blind = (sum(cell[key] for cell in cells) for key in ("found", "blind"))
                assert any(
                    line.startswith(f"| {method}: {name} |") and line.endswith(f"| {seen} / {blind} of {len(cells)} |")
                    for line in text.splitlines()
                )
        assert f"**{method}**, preset tiny, 22 images" in text
    assert not found["knn"]["maps"]


def test_what_residuals_miss_is_looked_for_in_other_maps(stored):
    folder, text = stored
    ae = json.loads((folder / "phantoms" / "stress" / "ae.json").read_text())
    blind = sum(cell["pixel"][ae["maps"][0]]["blind"] for cell in ae["cells"])
    table = text.split("Where the residuals are blind")[1].split("###")[0]
    (row,) = [line for line in table.splitlines() if line.startswith(f"| ae: {ae['maps'][0]} |")]
    assert blind > 0 and f"| 0 of {blind} | {blind} of {blind} |" in row


def test_the_figure_is_a_picture(stored):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medad.experiments.pages.stress.TRAINED", {"ae": None, "nu": None, "knn": None})
        assert pictures(stored[0])["stress-phantoms.png"].startswith(b"\x89PNG")
