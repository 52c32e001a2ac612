"""The study of DDAD's maps: every way to make them has its figures, and no image is judged that was learned from."""

import csv

import pytest
import torch

from medad.detectors.ddad.discrepancy import a_inter, a_intra, ensemble_residual
from medad.experiments.studies.steady import ensembles, refiners
from medad.experiments.studies.steady.__main__ import study
from medad.experiments.studies.steady.ensembles import Trial
from medad.experiments.studies.steady.maps import ensembles_of, maps_of
from medad.networks.autoencoder import Reconstruction


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


def test_halves_of_an_even_ensemble_are_ensembles():
    assert ensembles_of(6) == [range(6), range(3), range(3, 6)]
    assert ensembles_of(2) == [range(2)] and ensembles_of(5) == [range(5)]


@pytest.mark.integration
def test_every_way_has_its_figures(phantoms, tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "PRESET", "tiny")
    small = {"refine_width": 4, "refine_epochs": 1}
    monkeypatch.setattr(refiners, "VARIANTS", {name: v | small for name, v in refiners.VARIANTS.items()})
    folder = study(Trial("phantoms", phantoms.parent, 0, 2, 2, tmp_path / "work"), tmp_path / "results")
    tables = {}
    for name in ("maps", "refiners"):
        with (folder / f"{name}-k2-epochs2-seed0.csv").open() as file:
            tables[name] = list(csv.DictReader(file))
    assert len(tables["maps"]) == 2 * 2 * (2 * 4 * 3 + 4)
    scores = {"a_rec", "a_intra", "a_inter", "r_nu_1", "r_nu_2", "r_nu_4", "r_nu_8"}
    assert {row["score"] for row in tables["maps"]} == scores
    assert [row["variant"] for row in tables["refiners"]] == list(refiners.VARIANTS)
    for row in (*tables["maps"], *tables["refiners"]):
        assert all(0 <= float(row[name]) <= 1 for name in ("auc_u", "auroc", "auroc_deduplicated"))
    monkeypatch.setattr("medad.experiments.studies.steady.__main__.train", lambda _: pytest.fail("trained again"))
    study(Trial("phantoms", phantoms.parent, 0, 2, 2, tmp_path / "work"), tmp_path / "results")
