"""The study of DDAD's maps: every way to make them has its figures, and no image is judged that was learned from."""

import csv

import numpy as np
import pytest
import torch

from medad.detectors.contract.seen import digests
from medad.detectors.ddad.discrepancy import a_inter, a_intra, ensemble_residual
from medad.experiments.studies.steady import ensembles, refiners
from medad.experiments.studies.steady.__main__ import study
from medad.experiments.studies.steady.ensembles import Fold, Trained, Trial
from medad.experiments.studies.steady.maps import ALL, maps_of
from medad.networks.autoencoder import Reconstruction
from medad.training.pixels import in_order


def modules_of(seed=0, members=3):
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(members, 2, 1, 8, 8, generator=generator) for _ in range(4)]
    return {"ndm": Reconstruction(made[0], made[1]), "udm": Reconstruction(made[2], made[3])}


def test_maps_of_means_are_those_of_the_detector():
    modules, x = modules_of(), torch.randn(2, 1, 8, 8)
    maps = maps_of(x, modules, "mean", 0.0)
    torch.testing.assert_close(maps["a_rec"], ensemble_residual(x, modules["ndm"]))
    torch.testing.assert_close(maps["a_intra"], a_intra(modules["ndm"]))
    torch.testing.assert_close(maps["a_inter"], a_inter(modules["ndm"], modules["udm"]))


def test_medians_do_not_follow_one_wild_member():
    modules, x = modules_of(), torch.randn(2, 1, 8, 8)
    wild = {name: Reconstruction(m.mean.clone(), m.log_variance.clone()) for name, m in modules.items()}
    wild["ndm"].mean[0], wild["ndm"].log_variance[0] = 1e6, 100.0
    for name, value in maps_of(x, wild, "median", 0.0).items():
        assert value.max() < 50 * maps_of(x, modules, "median", 0.0)[name].max()


def test_sigma_has_a_floor():
    modules, x = modules_of(), torch.randn(2, 1, 8, 8)
    modules["ndm"].log_variance.fill_(-10.0)
    floored, unit = (maps_of(x, modules, "mean", least) for least in (0.5, 1.0))
    torch.testing.assert_close(floored["a_inter"], 2 * unit["a_inter"])
    torch.testing.assert_close(floored["a_rec"], 4 * unit["a_rec"])


def trained_of(pool, folds, labels=(0, 1)):
    """Return images without pixels, left out by these folds."""
    some = [Fold(None, {}, None, np.array(left)) for left in folds]
    none = torch.zeros(len(pool), 1, 8, 8)
    return Trained(
        some, none, none[:2], np.array(pool), np.arange(len(pool)), np.array(labels), np.ones(len(labels), bool)
    )


def test_folds_are_joined_in_units_of_their_normal_images():
    trained = trained_of([0, 0, 0, 0, 1, 1], [[0, 1, 4], [2, 3, 5]])
    small, large = (
        (np.array([1.0, 3.0, 5.0]), np.array([7.0, 2.0])),
        (np.array([10.0, 30.0, 50.0]), np.array([70.0, 20])),
    )
    held, test = trained.joined([small, large])
    np.testing.assert_allclose(held, [-1, 1, -1, 1, 3, 3])  # the middle half of 1 and 3 is one wide
    np.testing.assert_allclose(test, [5, 0])
    assert trained.auc_u(held) == 1 and trained.aurocs(test) == (0, 0)


@pytest.mark.integration
def test_every_way_has_its_figures(phantoms, tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "PRESET", "tiny")
    small = {"refine_width": 4, "refine_epochs": 1}
    monkeypatch.setattr(refiners, "VARIANTS", {name: refiners.VARIANTS[name] | small for name in ("log", "perlin")})
    folder = study(
        Trial("phantoms", phantoms.parent, 0, 2, 2, tmp_path / "work"), tmp_path / "results", ("log", "perlin")
    )
    tables = {}
    for name in ("maps", "refiners"):
        with (folder / f"{name}-k2-epochs2-seed0.csv").open() as file:
            tables[name] = list(csv.DictReader(file))
    forms = 1 + 3 + 2
    assert len(tables["maps"]) == 2 * 2 * (4 * (3 * forms + 2) + 4 * 2)
    scores = {"a_rec", "a_intra", "a_inter", "r_nu_1", "r_nu_2", "r_nu_4", "r_nu_8"}
    assert {row["score"] for row in tables["maps"]} == scores
    assert len(tables["refiners"]) == 2 * (3 + 1)
    for row in (*tables["maps"], *tables["refiners"]):
        assert all(0 <= float(row[name]) <= 1 for name in ("auroc", "auroc_deduplicated"))
        assert row["form"].startswith(ALL) or 0 <= float(row["auc_u"]) <= 1
    monkeypatch.setattr("medad.experiments.studies.steady.__main__.train", lambda _: pytest.fail("trained again"))
    study(Trial("phantoms", phantoms.parent, 0, 2, 2, tmp_path / "work"), tmp_path / "results")


def test_every_image_is_left_out_by_one_fold_and_its_members_never_see_it(phantoms, tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "PRESET", "tiny")
    monkeypatch.setattr(ensembles, "train_phases", lambda *_: None)
    trained = ensembles.train(Trial("phantoms", phantoms.parent, 0, 2, 2, tmp_path))
    left = np.concatenate([fold.left for fold in trained.folds])
    np.testing.assert_array_equal(np.sort(left), np.arange(len(trained.pool)))
    for fold in trained.folds:
        learned = set(digests_of_all(fold.learned.images()))
        assert not learned & set(digests(trained.images[fold.left]).tolist())
    assert len({fold.detector.seed for fold in trained.folds}) == 3


def digests_of_all(images):
    return digests(torch.cat(list(in_order(images, 64)))).tolist()
