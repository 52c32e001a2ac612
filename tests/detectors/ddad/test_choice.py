"""DDAD in folds: every image is seen by networks that left it out, and a score is chosen without labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from helpers import make_images
from sklearn.linear_model import LogisticRegression

from medad.detectors.contract.plan import TrainingData
from medad.detectors.ddad.choice import choice_of, choose, tensor_of
from medad.detectors.ddad.cross_fit import ALL, maps_by
from medad.detectors.ddad.cross_fit import NAME as CHOICE
from medad.detectors.ddad.discrepancy import a_inter, a_intra, ensemble_residual, stack
from medad.detectors.ddad.ensemble import RAW
from medad.detectors.ddad.map_regression import CELLS, cells_of, contributions, regressions
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.evaluation.metrics import auroc
from medad.training.checkpoint import network_state

FOLDS = 3
NORMAL, UNLABELED = make_images(60, seed=1, name="normal"), make_images(55, seed=2, name="pool")


def make(**options):
    return make_detector("ddad", "tiny", device="cpu", jobs=1, **{"folds": FOLDS} | options)


def plan_of(folder, sets, owners=None):
    for i, images in enumerate(sets):
        np.save(folder / f"{i}.npy", images.pixels)
    files, counts = (folder / "0.npy", folder / "1.npy"), tuple(len(images) for images in sets)
    return make().plan(TrainingData(files, counts, tuple(s.fingerprint for s in sets), owners), folder)


@pytest.fixture(scope="module")
def fitted():
    return make().fit(NORMAL, UNLABELED)


def test_scores_that_are_as_good_as_the_best_are_averaged():
    rng = np.random.default_rng(4)
    pool = np.repeat([0, 1], 200)
    one, other = pool + rng.normal(size=400), pool + rng.normal(size=400)
    choice = choose(pool, {"bad": -one, "one": one, "other": other})
    assert choice.names == ("one", "other") and choice.chosen == "one + other"
    assert choice.judged["one + other"].auc_u == auroc(pool, (one + other) / 2) > choice.judged["one"].auc_u
    best = max(choice.names, key=lambda name: choice.judged[name].auc_u)
    assert choice.judged[best].behind == 0 > choice.judged["one + other"].behind
    assert choice_of(tensor_of(choice), ["bad", "one", "other"]) == choice


def test_a_score_that_is_clearly_better_is_alone():
    rng = np.random.default_rng(4)
    pool = np.repeat([0, 1], 200)
    usual = pool + rng.normal(size=400)
    choice = choose(pool, {"usual": usual, "clearly": usual + 2.0 * pool})
    assert choice.names == ("clearly",) and list(choice.judged) == ["usual", "clearly"]
    assert choice_of(tensor_of(choice), ["usual", "clearly"]) == choice


@pytest.mark.parametrize("patients", [False, True])
def test_no_network_learns_from_images_that_its_fold_leaves_out(tmp_path, patients):
    sets = [NORMAL, replace(UNLABELED, pixels=np.concatenate([NORMAL.pixels[:20], UNLABELED.pixels[20:]]))]
    owners = tuple(f"p{i // 5}" for i in range(115)) if patients else None
    plan = plan_of(tmp_path, sets, owners)
    members, refiners, (last,) = make().stages(plan)
    division = last.build.keywords["division"]
    pixels = np.concatenate([images.pixels for images in sets])
    assert len(division.folds) == FOLDS and last.name == CHOICE
    assert sorted(np.concatenate([left for _, left in division.folds])) == list(range(115))
    for spec in (*members, *refiners):
        left = division.folds[int(spec.name[4]) - 1][1]  # fold1_ndm_1
        learned = spec.build.args[0].data
        assert not set(learned.rows) & set(left)
        apart = {pixels[i].tobytes() for i in left}
        assert apart.isdisjoint(pixels[i].tobytes() for i in learned.rows)  # nor from images that look the same
        if patients:
            assert set(learned.patients).isdisjoint(owners[i] for i in left)
    udm = members[-1].build.args[0].data
    assert udm.counts[1] and sum(udm.counts) + len(division.folds[-1][1]) == 115


def test_each_image_of_the_training_is_seen_by_the_networks_that_left_it_out(fitted, tmp_path):
    plan = plan_of(tmp_path, [NORMAL, UNLABELED])
    division = make().stages(plan)[-1][0].build.keywords["division"]
    x = plan.images()(torch.arange(plan.count))
    names, crossed = fitted.ensembles[0].maps, fitted.cross_fit_
    raw = np.zeros((plan.count, len(names)))
    for k, (_, left) in enumerate(division.folds):
        maps = fitted.ensembles[k].analyse(fitted.folded_, x[left])
        raw[left] = torch.stack([maps[name].mean((1, 2)) for name in names], 1)
        normal = left[division.pool[left] == 0]
        low, middle, high = np.percentile(raw[normal], (25, 50, 75), axis=0)
        width = np.where(high - low > 1e-6 * middle, high - low, 1)
        np.testing.assert_allclose(crossed.units[k, :, :-1], [middle, width], rtol=1e-2)
        raw[left] = (raw[left] - middle) / width
    scores = [fitted.scores(images) for images in (NORMAL, UNLABELED)]
    for name, column in zip(["a_rec_ensemble", *names[1:]], raw.T, strict=True):
        found = np.concatenate([part[name] for part in scores])
        np.testing.assert_allclose(found, column, rtol=1e-2, atol=1e-2)
        assert fitted.choice_.judged[name].auc_u == pytest.approx(auroc(division.pool, column), abs=2e-3)
    nu = np.concatenate([part["r_nu"] for part in scores])
    assert fitted.choice_.judged["r_nu"].auc_u == pytest.approx(auroc(division.pool, nu), abs=2e-3)


def test_a_new_image_is_seen_by_all_networks_as_one_ensemble(fitted):
    x = torch.rand(4, 1, 64, 64) * 2 - 1
    networks = [fitted.folded_[name] for e in fitted.ensembles for name in e.modules["ndm"]]
    others = [fitted.folded_[name] for e in fitted.ensembles for name in e.modules["udm"]]
    assert len(networks) == len(others) == 2 * FOLDS
    ndm, udm = (stack([network(x) for network in some]) for some in (networks, others))
    expected = {"a_rec": ensemble_residual(x, ndm), "a_intra": a_intra(ndm), "a_inter": a_inter(ndm, udm)}
    own = [ensemble.analyse(fitted.folded_, x)["r_dual"] for ensemble in fitted.ensembles]
    expected["r_dual"] = sum(own) / FOLDS
    found, names = fitted.analyse(x)[1], fitted.cross_fit_.names
    for name, value in expected.items():
        middle, width = fitted.cross_fit_.units[-1][:, names.index(name)].tolist()
        torch.testing.assert_close(found[name], (value - middle) / width, rtol=1e-3, atol=1e-3)


def test_scores_do_not_depend_on_what_else_is_in_a_batch(fitted):
    images = make_images(60, seed=9)
    images = replace(images, pixels=np.concatenate([NORMAL.pixels[:55], images.pixels[55:]]))
    whole, single = ([p.scores for p in fitted.predict(images, batch_size=size)] for size in (60, 1))
    for name, values in whole[0].items():
        np.testing.assert_allclose(np.concatenate([s[name] for s in single]), values, rtol=1e-3, atol=5e-3)


@pytest.mark.parametrize(
    ("options", "unlabeled", "epochs"),
    [({}, 300, 125), ({}, 0, 250), ({}, 20, 250), ({"folds": 0}, 300, 250), ({"fold_images": None}, 300, 250)],
)
def test_folds_are_trained_for_as_many_steps_on_many_images(tmp_path, options, unlabeled, epochs):
    detector = make_detector("ddad", "standard", device="cpu", **options)
    counts, rng = (400, unlabeled)[: 1 + bool(unlabeled)], np.random.default_rng(0)
    files = tuple(tmp_path / f"{i}.npy" for i in range(len(counts)))
    for file, count in zip(files, counts, strict=True):
        np.save(file, rng.integers(0, 256, (count, 1, 8, 8), np.uint8))
    plan = detector.plan(TrainingData(files, counts, ("a", "b")[: len(counts)]), tmp_path)
    assert (plan.options.epochs, plan.options.refine_epochs, plan.options.most_images) == (epochs, epochs // 5, 4000)


def test_passes_of_networks_with_dropout_are_judged_as_they_score():
    detector = make(refine=False, dropout=0.2, mc_passes=3).fit(NORMAL, UNLABELED)
    pool = np.repeat([0, 1], [60, 55])
    found = np.concatenate([detector.scores(images)["a_inter"] for images in (NORMAL, UNLABELED)])
    assert detector.choice_.judged["a_inter"].auc_u == pytest.approx(auroc(pool, found), abs=2e-3)


def test_labels_and_test_images_have_no_say(fitted):
    labelled = [replace(images, labels=np.arange(len(images)) % 2) for images in (NORMAL, UNLABELED)]
    assert make().fit(*labelled).choice_ == fitted.choice_


CANDIDATES = ["a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual", "r_nu"]


def test_the_choice_is_told_and_kept(fitted, tmp_path):
    choice = fitted.choice_
    assert list(choice.judged) == list(dict.fromkeys([*CANDIDATES, choice.chosen]))
    assert fitted.reported == choice.names
    fitted.save(tmp_path)
    told = yaml.safe_load((tmp_path / "run.yaml").read_text())["choice"]
    assert told["chosen"] == choice.chosen and list(told["judged"]) == list(choice.judged)
    again = load_detector(tmp_path, device="cpu")
    assert again.choice_ == choice
    found, expected = (detector.scores(make_images(3))["pred_score"] for detector in (again, fitted))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("names", [("a_rec_ensemble",), ("a_inter",), ("r_nu",), ("a_rec_ensemble", "r_dual", "r_nu")])
def test_any_candidates_can_be_reported(fitted, names):
    detector = make()
    near = [float(name not in names) for name in CANDIDATES] + [0.0] * (len(names) > 1)
    judged = torch.tensor([[0.6, 0.5, 0.7, 0.1, behind, 0.0] for behind in near], dtype=torch.float64)
    detector.load_state(network_state(fitted.networks_) | fitted.tensors_ | {f"{CHOICE}/judged": judged}, True)
    found, maps = detector.analyse(torch.rand(3, 1, 64, 64) * 2 - 1)
    assert detector.reported == names and detector.choice_.chosen == " + ".join(names)
    torch.testing.assert_close(found["pred_score"], sum(found[name] for name in names) / len(names))
    shown = ["a_rec" if name == "a_rec_ensemble" else name for name in names]
    torch.testing.assert_close(maps["anomaly_map"], sum(maps[name] for name in shown) / len(names))


def test_the_map_of_the_regression_is_exact(fitted):
    x = torch.rand(3, 1, 64, 64) * 2 - 1
    crossed, maps = fitted.cross_fit_, maps_by(ALL, fitted.ensembles, fitted.folded_, x)
    middle, width = crossed.units[-1, :, -1]
    cells = cells_of([maps[name] for name in RAW])
    expected = ((cells - crossed.centres[-1]) @ crossed.lines[-1] - middle) / width
    found, maps = fitted.analyse(x)
    torch.testing.assert_close(found["r_nu"].double(), expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(maps["r_nu"].mean((1, 2)), found["r_nu"])


def test_without_unlabeled_images_it_is_the_reconstruction_error():
    (prediction,) = make().fit(NORMAL).predict(make_images(3))
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["a_rec_ensemble"])
    assert "r_nu" not in prediction.scores


def test_with_too_few_images_it_is_the_reconstruction_error(capsys):
    detector = make().fit(make_images(12, seed=1), make_images(8, seed=2, name="pool"))
    assert detector.reported == ("a_rec_ensemble",) and detector.choice_ is None
    assert "too few images for folds" in capsys.readouterr().err


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


def test_the_regression_of_a_fold_is_that_of_scikit_learn_without_its_images():
    rng = np.random.default_rng(0)
    pool, fold, groups = np.tile([0, 1], 60), np.arange(120) // 40, np.arange(120)
    rows = rng.normal(size=(120, 4)) + pool[:, None] * [1, 0, 0, 0.5]
    scaled = rows * (1 + fold[:, None]) + 10 * fold[:, None]  # folds have scales of their own
    centres, scales, weights = regressions(scaled, pool, fold, groups, 0)
    standard = np.empty_like(rows)
    for k in range(3):
        normal = scaled[(fold == k) & (pool == 0)]
        np.testing.assert_allclose(centres[k], normal.mean(0))
        standard[fold == k] = (scaled[fold == k] - normal.mean(0)) / normal.std(0)
    for k in range(3):
        rest = standard[fold != k]
        ours = (scaled[fold == k] - centres[k]) / scales[k] @ weights[k]
        found = [
            LogisticRegression(C=c, class_weight="balanced")
            .fit((rest - rest.mean(0)) / rest.std(0), pool[fold != k])
            .coef_[0]
            / rest.std(0)
            for c in 10.0 ** np.arange(-6, 0)
        ]
        assert min(np.abs(ours - standard[fold == k] @ theirs).max() for theirs in found) < 1e-3


def test_scores_of_the_regression_are_out_of_fold():
    rng = np.random.default_rng(1)
    pool, fold, groups = rng.permutation(np.repeat([0, 1], 60)), np.arange(120) % 3, np.arange(120)
    rows = rng.normal(size=(120, 100))
    centres, scales, weights = regressions(rows, pool, fold, groups, 0)
    held = ((rows - centres[fold]) / scales[fold] * weights[fold]).sum(1)
    seen = (rows - centres[0]) / scales[0] @ weights[0]
    assert auroc(pool[fold != 0], seen[fold != 0]) > 0.8 > 0.65 > auroc(pool, held)


@pytest.mark.parametrize("folds", [1, -1])
def test_one_fold_is_none(folds):
    with pytest.raises(UserError, match="folds"):
        make(folds=folds)
