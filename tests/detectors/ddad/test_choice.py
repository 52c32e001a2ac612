"""The score that DDAD reports: chosen on images that no network learned from, by a rule, without labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from helpers import make_images
from sklearn.linear_model import LogisticRegression

from medad.detectors.contract.plan import TrainingData
from medad.detectors.ddad.choice import CHOICE, choose
from medad.detectors.ddad.map_regression import CELLS, cells_of, contributions, regression
from medad.detectors.registry import load_detector, make_detector
from medad.evaluation.metrics import auroc

NORMAL, UNLABELED = make_images(60, seed=1, name="normal"), make_images(55, seed=2, name="pool")


def make(**options):
    return make_detector("ddad", "tiny", device="cpu", jobs=1, **{"choose": True} | options)


@pytest.fixture(scope="module")
def fitted():
    return make().fit(NORMAL, UNLABELED)


def test_a_score_that_is_hardly_better_is_not_chosen():
    rng = np.random.default_rng(4)
    pool = np.repeat([0, 1], 200)
    usual = pool + rng.normal(size=400)
    hardly, clearly = usual + rng.normal(size=400) + 0.5 * pool, usual + 2.0 * pool
    assert auroc(pool, usual) < auroc(pool, hardly) < auroc(pool, usual) + 0.01
    assert choose(pool, {"hardly": hardly, "usual": usual}, "usual") == "usual"
    assert choose(pool, {"hardly": hardly, "clearly": clearly, "usual": usual}, "usual") == "clearly"
    assert choose(pool, {"worse": -usual, "usual": usual}, "usual") == "usual"
    assert choose(pool, {"same": usual, "usual": usual}, "usual") == "usual"


@pytest.mark.parametrize("patients", [False, True])
def test_no_network_learns_from_images_on_which_the_score_is_chosen(tmp_path, patients):
    sets = [NORMAL, replace(UNLABELED, pixels=np.concatenate([NORMAL.pixels[:20], UNLABELED.pixels[20:]]))]
    for i, images in enumerate(sets):
        np.save(tmp_path / f"{i}.npy", images.pixels)
    owners = tuple(f"p{i // 5}" for i in range(115)) if patients else None
    files, counts = (tmp_path / "0.npy", tmp_path / "1.npy"), (60, 55)
    plan = make().plan(TrainingData(files, counts, ("a", "b"), owners), tmp_path)
    members, refiners, (chosen,) = make().stages(plan)
    held = chosen.build.args[0].data
    pixels = np.concatenate([images.pixels for images in sets])
    apart = {pixels[i].tobytes() for i in held.rows}
    assert held.counts[0] >= 10 and held.counts[1] >= 10 and chosen.name == CHOICE
    for spec in (*members, *refiners):
        learned = spec.build.args[0].data
        assert not set(learned.rows) & set(held.rows)
        assert apart.isdisjoint(pixels[i].tobytes() for i in learned.rows)  # nor from images that look the same
        if patients:
            assert set(learned.patients).isdisjoint(held.patients)
    whole = members[-1].build.args[0].data
    assert sum(whole.counts) + sum(held.counts) == 115


def test_the_chosen_score_and_its_map_are_reported(fitted, tmp_path):
    choice = fitted.choice_
    assert list(choice.judged) == ["a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual", "r_nu"]
    assert fitted.reported == choice.chosen
    (prediction,) = fitted.predict(make_images(3))
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores[choice.chosen])
    shown = prediction.maps["a_rec" if choice.chosen == "a_rec_ensemble" else choice.chosen]
    np.testing.assert_array_equal(prediction.maps["anomaly_map"], shown)
    fitted.save(tmp_path)
    told = yaml.safe_load((tmp_path / "run.yaml").read_text())["choice"]
    assert told["chosen"] == choice.chosen and list(told["judged"]) == list(choice.judged)
    again = load_detector(tmp_path, device="cpu")
    assert again.choice_ == choice
    np.testing.assert_array_equal(again.scores(make_images(3))["pred_score"], prediction.scores["pred_score"])


@pytest.mark.parametrize("chosen", ["a_rec_ensemble", "a_inter", "r_nu"])
def test_any_candidate_can_be_reported(fitted, chosen):
    names = list(fitted.choice_.judged)
    detector = make()
    detector.networks_, detector.folded_, detector.has_unlabeled_ = fitted.networks_, fitted.folded_, True
    detector.tensors_ = fitted.tensors_ | {f"{CHOICE}/chosen": torch.tensor(names.index(chosen))}
    found, maps = detector.analyse(torch.rand(3, 1, 64, 64) * 2 - 1)
    assert torch.equal(found["pred_score"], found[chosen])
    assert torch.equal(maps["anomaly_map"], maps["a_rec" if chosen == "a_rec_ensemble" else chosen])


def test_figures_are_those_of_the_held_out_images(fitted, tmp_path):
    for i, images in enumerate((NORMAL, UNLABELED)):
        np.save(tmp_path / f"{i}.npy", images.pixels)
    counts = (60, 55)
    data = TrainingData((tmp_path / "0.npy", tmp_path / "1.npy"), counts, (NORMAL.fingerprint, UNLABELED.fingerprint))
    rows = np.array(make().stages(make().plan(data, tmp_path))[-1][0].build.args[0].data.rows)
    scores = [fitted.scores(images)["a_inter"] for images in (NORMAL, UNLABELED)]
    value = auroc((rows >= 60).astype(int), np.concatenate(scores)[rows])
    assert fitted.choice_.judged["a_inter"].auc_u == pytest.approx(value, abs=1e-9)


def test_the_map_of_the_regression_is_exact(fitted):
    found, maps = fitted.analyse(torch.rand(3, 1, 64, 64) * 2 - 1)
    intercept = fitted.tensors_[f"{CHOICE}/weights"][-1]
    torch.testing.assert_close(maps["r_nu"].double().mean((1, 2)) + intercept, found["r_nu"], rtol=1e-3, atol=1e-3)


def test_without_unlabeled_images_it_is_the_reconstruction_error():
    (prediction,) = make().fit(NORMAL).predict(make_images(3))
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["a_rec_ensemble"])
    assert "r_nu" not in prediction.scores


def test_with_too_few_images_it_is_the_reconstruction_error(capsys):
    detector = make().fit(make_images(12, seed=1), make_images(8, seed=2, name="pool"))
    assert detector.reported == "a_rec_ensemble" and detector.choice_ is None
    assert "too few images to choose" in capsys.readouterr().err


def test_cells_are_logarithms_of_means():
    maps = [torch.rand(2, 16, 16), torch.zeros(2, 16, 16)]
    cells = cells_of(maps).view(2, 2, CELLS, CELLS)
    torch.testing.assert_close(cells[:, 0, 1, 2], maps[0][:, 2:4, 4:6].mean((1, 2)).double().log())
    assert (cells[:, 1] == np.log(1e-6)).all()


def test_contributions_add_up():
    cells, weights = torch.randn(2, 3 * CELLS**2).double(), torch.randn(3 * CELLS**2).double()
    torch.testing.assert_close(
        contributions(cells, weights, 64).double().mean((1, 2)), cells @ weights, rtol=1e-4, atol=1e-5
    )


def test_the_regression_is_that_of_scikit_learn_and_scores_are_out_of_fold(monkeypatch):
    rng = np.random.default_rng(0)
    pool = np.repeat([0, 1], [60, 50])
    rows = rng.normal(size=(110, 4)) + pool[:, None] * [1, 0, 0, 0.5]
    held, weights = regression(rows, pool, 0, None)
    standard = (rows - rows.mean(0)) / rows.std(0)
    found = [
        LogisticRegression(C=c, class_weight="balanced").fit(standard, pool).decision_function(standard)
        for c in 10.0 ** np.arange(-6, 0)
    ]
    ours = rows @ weights[:-1] + weights[-1]
    assert min(np.abs(ours - theirs).max() for theirs in found) < 1e-3
    noise = rng.permutation(pool)
    memorised = rng.normal(size=(110, 60))
    out, line = regression(memorised, noise, 0, None)
    assert auroc(noise, memorised @ line[:-1]) > 0.8 > 0.7 > auroc(noise, out)
