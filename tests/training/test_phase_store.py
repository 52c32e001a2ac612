"""Networks that runs have in common are trained once."""

import multiprocessing
import time

import pytest
import torch
from helpers import make_images

from medad.detectors.registry import make_detector
from medad.files import locked
from medad.training import loop
from medad.training.phase_store import PhaseStore


def fit(store, folder, seed=0, **options):
    detector = make_detector("ddad", "tiny", seed=seed, device="cpu", jobs=1, **options)
    return detector.fit(make_images(8, seed=1), make_images(6, seed=2, name="pool"), folder=folder, store=store)


@pytest.fixture
def trained(monkeypatch):
    """Names of the phases that were trained rather than found."""
    names = []
    job = loop.Job
    monkeypatch.setattr(loop, "Job", lambda spec, folder: names.append(spec.name) or job(spec, folder))
    return names


def test_a_larger_ensemble_contains_the_smaller_one(tmp_path, trained):
    store = PhaseStore(tmp_path / "store")
    two = fit(store, tmp_path / "a", refine=False)
    assert sorted(trained) == ["ndm_1", "ndm_2", "udm_1", "udm_2"]
    trained.clear()
    three = fit(store, tmp_path / "b", refine=False, ensemble_size=3)
    assert sorted(trained) == ["ndm_3", "udm_3"]
    for name, value in two.networks_["ndm_1"].state_dict().items():
        assert torch.equal(three.networks_["ndm_1"].state_dict()[name], value)


def test_what_was_stored_is_what_would_have_been_trained(tmp_path, trained):
    store = PhaseStore(tmp_path / "store")
    fit(store, tmp_path / "a")
    again, alone = fit(store, tmp_path / "b"), fit(None, tmp_path / "c")
    for name, network in alone.networks_.items():
        for key, value in network.state_dict().items():
            assert torch.equal(again.networks_[name].state_dict()[key], value)
    assert len(again.loss_curves_["ndm_1"]) == len(alone.loss_curves_["ndm_1"])


def test_other_seeds_and_options_are_trained_anew(tmp_path, trained):
    store = PhaseStore(tmp_path / "store")
    fit(store, tmp_path / "a")
    for i, other in enumerate(({"seed": 1}, {"lr": 0.1}, {"backbone": "ae"})):
        trained.clear()
        fit(store, tmp_path / f"b{i}", **other)
        assert len(trained) == 6
    trained.clear()
    fit(store, tmp_path / "c", refine_lr=0.1)
    assert sorted(trained) == ["r_dual", "r_intra"]


def hold(path, ready, seconds):
    with locked(path):
        ready.set()
        time.sleep(seconds)


def test_a_lock_is_waited_for_and_dies_with_its_process(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold, args=(tmp_path / "lock", ready, 60))
    process.start()
    assert ready.wait(60)
    process.kill()
    process.join()
    with locked(tmp_path / "lock"):
        pass
