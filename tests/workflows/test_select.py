"""``medad select``: the choice, that nothing is judged on what it learned from, and that labels do not matter."""

import json
import shutil

import numpy as np
import pytest
from helpers import make_images

from medad.cli.commands import main
from medad.data.imageset import ImageSet
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.registry import METHODS, load_detector
from medad.detectors.unlabeled import nu
from medad.evaluation import pools
from medad.training.run_folder import read_run
from medad.workflows.crossfit import Pools, held_out_scores
from medad.workflows.select import shortlist

QUICK = ("--preset", "tiny", "--device", "cpu", "--jobs", "1")
PIXELS = (*QUICK, "--options.extractor", "pixels")


@pytest.fixture(scope="module", autouse=True)
def one_strength():
    """Let regressions try one strength: which one is best is tested elsewhere, and takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pools, nu):
            patch.setattr(module, "STRENGTHS", (1e-4,))
        yield


def select(data, out, *options):
    return main(["select", str(data), "--out", str(out), *options])


@pytest.fixture(scope="module")
def selected(phantoms, tmp_path_factory):
    out = tmp_path_factory.mktemp("selected") / "run"
    assert select(phantoms, out, "--methods", "knn", "nu", *PIXELS) == 0
    return out


def test_the_shortlist_is_all_that_look_at_a_descriptor():
    names = shortlist()
    assert {"knn", "mahalanobis", "nu"} <= set(names) and "ddad" not in names
    assert all(issubclass(METHODS[name].load(), DescriptorDetector) for name in names)


def test_the_winner_is_a_run_that_learned_from_all_images(selected):
    record = json.loads((selected / "select.json").read_text())
    run = read_run(selected)
    assert run["method"] == record["winner"] and run["config"]["method"] == record["winner"]
    assert run["data"]["normal"]["images"] == 12 or run["data"]["normal"]["normal"] == 12
    assert load_detector(selected, device="cpu", jobs=1).name == record["winner"]


def test_every_figure_is_told(selected):
    record = json.loads((selected / "select.json").read_text())
    assert record["images"] == {"normal": 12, "unlabeled": 10} and set(record["methods"]) == {"knn", "nu"}
    assert "thumbnail_nu" in record["controls"] and record["rule"].startswith("the highest AUC_u")
    best = max(record["methods"].values(), key=lambda one: one["auc_u"])
    assert record["methods"][record["winner"]] == best and best["behind"] == 0
    page = (selected / "select.html").read_text()
    for one in (*record["methods"].values(), *record["controls"].values()):
        assert f"{one['auc_u']:.3f}" in page and f"{one['low']:.3f} to {one['high']:.3f}" in page


def test_labels_of_unlabeled_images_and_test_images_change_nothing(selected, phantoms, tmp_path, capsys):
    data = shutil.copytree(phantoms, tmp_path / "phantoms")
    listed = json.loads((data / "data.json").read_text())
    (data / "manifest.csv").unlink()
    both = listed["train"]["unlabeled"]
    listed["train"]["unlabeled"] = {"0": both["0"] + both["1"], "1": []}
    (data / "data.json").write_text(json.dumps(listed))
    for file in (data / "images").glob("test*"):
        file.write_bytes(b"no image")
    assert select(data, tmp_path / "out", "--methods", "knn", "nu", *PIXELS) == 0
    said = capsys.readouterr().err
    assert "labels of 10 unlabeled images are ignored" in said and "16 test images are not read" in said
    ours, theirs = (json.loads((out / "select.json").read_text()) for out in (selected, tmp_path / "out"))
    for name, one in ours["methods"].items():
        assert one["auc_u"] == pytest.approx(theirs["methods"][name]["auc_u"])


def test_what_is_scored_was_not_learned_from_and_patients_stay_together():
    images = make_images(40)
    patients = tuple(f"p{i // 2}" for i in range(20))
    both = Pools(
        ImageSet(images.pixels[:20], images.ids[:20], images.paths[:20], patients=patients),
        ImageSet(images.pixels[20:], images.ids[20:], images.paths[20:]),
    )
    seen = []

    def learn(normal, unlabeled):
        known = {*normal.ids, *unlabeled.ids}
        whose = set(normal.patients)

        def score(held):
            assert known.isdisjoint(held.ids) and whose.isdisjoint(held.patients or ())
            seen.extend(held.ids)
            return {"pred_score": np.arange(len(held), dtype=float)}

        return score

    folds = both.folds(0)
    scores, _ = held_out_scores(both, folds, learn)
    assert sorted(seen) == sorted(images.ids) and len(scores["pred_score"]) == 40


def test_lengths_of_training(phantoms, tmp_path, capsys):
    assert select(phantoms, tmp_path / "out", "--methods", "ae", "--epochs", "4,2", *QUICK) == 0
    record = json.loads((tmp_path / "out" / "select.json").read_text())
    assert set(record["methods"]) == {"2 epochs", "4 epochs"} and record["winner"] in record["methods"]
    assert read_run(tmp_path / "out")["options"]["epochs"] == int(record["winner"].split()[0])
    assert f"chosen: {record['winner']}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--methods", "knnn"), "--methods knnn: no such method"),
        (("--methods", "knn", "--epochs", "2,4"), "epochs: method knn has no such option"),
        (("--methods", "ddad", "--epochs", "2,4"), "--epochs: method ddad does not train one network in epochs"),
        (("--methods", "ae", "--epochs", "2;4"), "--epochs 2;4: give whole numbers with commas between them"),
        (("--epochs", "2,4"), "--methods: name the one method"),
        (("--test", "x"), "--test: nothing here may look at test images or labels"),
        (("--methods", "mahalanobis", "--options.weights", "none.pth"), "none.pth"),
    ],
)
def test_bad_options_are_told_in_one_line(options, said, phantoms, tmp_path, capsys):
    assert select(phantoms, tmp_path / "out", *QUICK, *options) == 2
    assert said in capsys.readouterr().err


def test_a_data_set_without_unlabeled_images(phantoms, tmp_path, capsys):
    data = shutil.copytree(phantoms, tmp_path / "phantoms")
    (data / "manifest.csv").unlink()
    listed = json.loads((data / "data.json").read_text())
    listed["train"]["unlabeled"] = {"0": [], "1": []}
    (data / "data.json").write_text(json.dumps(listed))
    assert select(data, tmp_path / "out", "--methods", "knn", *PIXELS) == 2
    assert "no unlabeled images" in capsys.readouterr().err


def test_a_folder_that_holds_a_run_is_refused_before_any_work(finished, phantoms, capsys):
    assert select(phantoms, finished, "--methods", "knn", *PIXELS) == 2
    assert "already holds a run" in capsys.readouterr().err
