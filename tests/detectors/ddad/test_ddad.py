"""What DDAD does beyond the contract of all detectors."""

import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from helpers import make_images

from medad.detectors.contract.holdout import split_holdout
from medad.detectors.ddad import refinement
from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.options import DDADOptions
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.training.checkpoint import load_tensors, network_state
from medad.training.phase import adam


def fit(folder=None, unlabeled=True, resume=False, **options):
    detector = make_detector("ddad", "tiny", device="cpu", jobs=1, **options)
    pool = make_images(6, seed=2, name="pool") if unlabeled else None
    return detector.fit(make_images(12, seed=1, name="normal"), pool, folder=folder, resume=resume)


@pytest.mark.parametrize("backbone", ["ae", "memae", "aeu"])
def test_all_scores_of_the_paper_are_there(backbone):
    (prediction,) = fit(backbone=backbone).predict(make_images(3))
    named = ["a_rec_1", "a_rec_2", "a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual", "pred_score"]
    assert list(prediction.scores) == named
    assert list(prediction.maps) == ["a_rec", "a_intra", "a_inter", "r_intra", "r_dual", "anomaly_map"]
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["r_dual"])
    for name in ("a_intra", "a_inter", "r_dual"):
        np.testing.assert_allclose(prediction.scores[name], prediction.maps[name].mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("unlabeled", "refine", "leading"),
    [(True, True, "r_dual"), (False, True, "r_intra"), (True, False, "a_inter"), (False, False, "a_intra")],
)
def test_the_best_score_there_is_leads(unlabeled, refine, leading):
    (prediction,) = fit(unlabeled=unlabeled, refine=refine).predict(make_images(3))
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores[leading])
    np.testing.assert_array_equal(prediction.maps["anomaly_map"], prediction.maps[leading])


def test_a_larger_ensemble_contains_the_smaller_one():
    small, large = fit(ensemble_size=2, refine=False), fit(ensemble_size=3, refine=False)
    for name in small.networks_:
        for a, b in zip(small.networks_[name].parameters(), large.networks_[name].parameters(), strict=True):
            assert torch.equal(a, b)


def test_members_differ():
    networks = fit(refine=False).networks_
    firsts = [network.encoder[0].weight for network in networks.values()]
    assert all(not torch.equal(a, b) for i, a in enumerate(firsts) for b in firsts[:i])


def test_one_network_has_no_discrepancy():
    with pytest.raises(UserError, match="ensemble_size=1"):
        make_detector("ddad", ensemble_size=1)
    with pytest.raises(UserError, match="backbone='resnet'"):
        make_detector("ddad", backbone="resnet")


def test_resume_uses_finished_members_and_refuses_other_options(tmp_path):
    first = fit(tmp_path)
    member = tmp_path / "checkpoint" / "ndm_1.safetensors"
    written = member.stat().st_mtime_ns
    again = fit(tmp_path, resume=True)
    assert member.stat().st_mtime_ns == written
    for name in first.networks_:
        for a, b in zip(first.networks_[name].parameters(), again.networks_[name].parameters(), strict=True):
            assert torch.equal(a, b)
    with pytest.raises(UserError, match="other options or data"):
        fit(tmp_path, resume=True, lr=0.1)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_in_either_precision_keeps_fp32_weights(precision):
    networks = fit(precision=precision).networks_
    assert {p.dtype for network in networks.values() for p in network.parameters()} == {torch.float32}


def test_averaged_members_follow_the_trained_ones(tmp_path):
    plain = fit(tmp_path / "plain", refine=False, steps=4)
    averaged = fit(tmp_path / "averaged", refine=False, steps=4, member_average=0.5)
    tensors, _ = load_tensors(tmp_path / "averaged" / "checkpoint" / "udm_1.safetensors")
    trained = network_state(plain.networks_)
    name = next(name for name in trained if name.startswith("udm_1/") and name.endswith("weight"))
    assert torch.equal(tensors[name.replace("udm_1", "udm_1_last")], trained[name])  # the average is passive
    assert not torch.equal(tensors[name], trained[name])
    assert torch.equal(network_state(averaged.networks_)[name], tensors[name])
    assert not any("_last" in key for key in (*averaged.networks_, *averaged.tensors_))


def test_averaged_weights_follow_the_trained_ones(tmp_path):
    fit(tmp_path, refine_average=0.5, refine_steps=4)
    tensors, _ = load_tensors(tmp_path / "checkpoint" / "r_dual.safetensors")
    average, last = tensors["r_dual/model.3.weight"], tensors["r_dual_last/model.3.weight"]
    assert not torch.equal(average, last)
    assert (average - last).abs().max() < 1e-2
    single = fit(refine_steps=4)
    assert torch.equal(single.networks_["r_dual"].model[3].weight, last)


@pytest.mark.parametrize("changed", [{"refine_log": True}, {"refine_residual": True}])
def test_asr_net_scores_what_it_learned_from(changed, monkeypatch):
    shapes = []
    seen = refinement.refined_from

    def record(maps, name, options):
        shapes.append((name, seen(maps, name, options).shape[1]))
        return seen(maps, name, options)

    monkeypatch.setattr(refinement, "refined_from", record)
    detector = fit(**changed)
    more = int("refine_residual" in changed)
    assert set(shapes) == {("r_intra", 1 + more), ("r_dual", 2 + more)}
    (prediction,) = detector.predict(make_images(3))
    maps = {name: torch.from_numpy(prediction.maps[name]) for name in ("a_rec", "a_intra", "a_inter")}
    names = ["a_rec"] * more + ["a_intra", "a_inter"]
    inputs = torch.stack([maps[name] for name in names], 1)
    inputs = (inputs + 1e-3).log() if "refine_log" in changed else inputs
    expected = detector.folded_["r_dual"].refine(inputs.contiguous(memory_format=torch.channels_last))
    np.testing.assert_allclose(prediction.maps["r_dual"], expected, atol=1e-5)


def test_cosine_takes_the_rate_to_zero(monkeypatch):
    rates = []
    monkeypatch.setattr(
        refinement,
        "gradient_step",
        lambda optimiser, *_: rates.append(optimiser.param_groups[0]["lr"]) or torch.zeros(()),
    )
    fit(unlabeled=False, refine_steps=10, refine_cosine=True)
    expected = [1e-4 * 0.5 * (1 + math.cos(math.pi * i / 10)) for i in range(10)]
    np.testing.assert_allclose(rates, expected)


def test_the_recipe_is_the_papers():
    """The recipe of the authors' code: another default would silently train another method."""
    options = asdict(DDADOptions())
    recipe = {
        "size": 64, "channels": 1, "width": 1, "hidden": 2048, "latent": 16,
        "epochs": 250, "batch_size": 64, "lr": 5e-4, "steps": None, "ensemble_size": 3, "bessel": False,
        "refine": True, "refine_width": 128, "refine_epochs": 100, "refine_batch_size": 8, "refine_lr": 1e-4,
        "refine_weight_decay": 1e-4, "refine_cosine": False, "refine_average": 0.0, "refine_steps": None,
        "member_average": 0.0, "folds": 0, "fold_images": None,
        "p_synth": 0.5, "holdout": 0.0, "beta1": 0.5, "beta2": 0.999, "weight_decay": 0.0, "keep_last": False,
    }  # fmt: skip
    assert {name: options[name] for name in recipe} == recipe
    assert DDAD.presets["paper"] == {}
    defaults = adam(torch.nn.Linear(1, 1), 5e-4).defaults
    assert (defaults["betas"], defaults["weight_decay"], defaults["fused"]) == ((0.5, 0.999), 0.0, True)


def test_holdout_keeps_patients_together():
    images = make_images(20)
    patients = tuple(f"p{i // 4}" for i in range(20))
    images = type(images)(images.pixels, images.ids, images.paths, patients=patients)
    train, held_out = split_holdout(images, 0.3, seed=0)
    assert not set(train.patients) & set(held_out.patients)
    assert len(train) + len(held_out) == 20
    assert 6 <= len(held_out) <= 8
    assert split_holdout(images, 0.0, seed=0) == (images, None)


@pytest.mark.usefixtures("own_threads")
def test_weights_do_not_depend_on_the_number_of_cores_in_use(tmp_path):
    wide = {"refine_width": 32, "refine_steps": 3, "steps": 3, "hidden": 128, "ensemble_size": 2}
    one, three = (
        network_state(
            DDAD.from_options(wide, device="cpu", jobs=jobs)
            .fit(make_images(24, seed=1), make_images(20, seed=2, name="pool"))
            .networks_
        )
        for jobs in (1, 3)
    )
    assert all(torch.equal(value, three[name]) for name, value in one.items())


def test_what_the_studies_found_is_in_standard_and_never_in_paper():
    assert DDAD.presets["paper"] == {}
    standard = make_detector("ddad", "standard").options
    assert (standard.holdout, standard.folds, standard.ensemble_size, standard.epochs) == (0.1, 3, 2, 250)
    assert standard.member_average == standard.refine_average == 0.999


@pytest.mark.parametrize("backbone", ["ae", "aeu"])
def test_passes_of_a_network_with_dropout_stand_for_an_ensemble(tmp_path, backbone):
    detector = fit(backbone=backbone, refine=False, dropout=0.2, mc_passes=6)
    assert list(detector.networks_) == ["ndm_1", "udm_1"]
    images = make_images(5, seed=3)
    (whole,) = detector.predict(images, batch_size=5)
    assert list(whole.scores) == ["a_rec_ensemble", "a_intra", "a_inter", "pred_score"]
    singly = [p.scores["a_inter"][0] for p in detector.predict(images, batch_size=1)]
    np.testing.assert_allclose(singly, whole.scores["a_inter"], rtol=1e-5)
    assert whole.scores["a_intra"].min() > 0
    detector.save(tmp_path)
    (again,) = load_detector(tmp_path, device="cpu", jobs=1).predict(images, batch_size=5)
    np.testing.assert_array_equal(again.scores["a_intra"], whole.scores["a_intra"])


@pytest.mark.parametrize("options", [{"dropout": 0.0}, {"refine": True}, {"mc_passes": 1}])
def test_passes_need_dropout_and_exclude_refinement(options):
    with pytest.raises(UserError, match="mc_passes: give at least 2, with option dropout"):
        make_detector("ddad", "tiny", **{"refine": False, "dropout": 0.2, "mc_passes": 6} | options)


def test_many_images_are_seen_in_fewer_epochs(capsys):
    options = {"steps": None, "refine_steps": None, "batch_size": 4, "refine_batch_size": 4, "refine": True}
    detector = make_detector("ddad", "tiny", device="cpu", jobs=1, epochs=10, refine_epochs=5, most_images=8, **options)
    detector.fit(make_images(20, seed=1), make_images(8, seed=2))
    epochs = {name: len(curve) for name, curve in detector.loss_curves_.items()}
    assert {epochs[name] for name in ("ndm_1", "ndm_2", "udm_1", "udm_2")} == {4}
    assert epochs["r_dual"] == epochs["r_intra"] == 2
    assert detector.options.epochs == 10
    assert "20 normal images: 4 epochs instead of 10; see option most_images" in capsys.readouterr().err
    few = make_detector("ddad", "tiny", device="cpu", jobs=1, epochs=3, refine_epochs=2, most_images=8, **options)
    few.fit(make_images(8, seed=1), make_images(8, seed=2))
    assert len(few.loss_curves_["udm_1"]) == 3
    assert "epochs instead" not in capsys.readouterr().err
