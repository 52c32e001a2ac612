"""Students and teacher as a whole: they learn, keep back, standardise, and average over sides of patches."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.features.extractors import registry
from medad.detectors.features.student_data import Target, learned_and_kept_back, teachers_images
from medad.detectors.features.student_losses import error_and_disagreement
from medad.detectors.features.student_moments import moments_fit, standardised
from medad.detectors.registry import make_detector
from medad.errors import OptionError, UserError
from medad.networks.patch_network import padded
from medad.training.pixels import share_pixels, to_unit

NORMAL, TEST = make_images(12, seed=1), make_images(3, seed=3)


def make(**options):
    return make_detector("student_teacher", "tiny", device="cpu", jobs=1, **options)


def plan_of(detector, folder, normal=NORMAL, unlabeled=None, patients=None):
    parts = [normal] + ([unlabeled] if unlabeled else [])
    files = tuple(share_pixels(part, folder / f"{i}.npy") for i, part in enumerate(parts))
    counts = tuple(len(part) for part in parts)
    return detector.plan(TrainingData(files, counts, ("x",) * len(parts), patients), folder)


def raw(detector, patch, images, rows):
    """Return e and v at the pixels scored, found network by network."""
    o, nets, tensors = detector.options, detector.networks_, detector.tensors_
    around = padded(to_unit(images.pixels[rows], torch.device("cpu")), patch, o.stride)
    mean, deviation = (tensors[f"outputs_{patch}/{name}"].view(1, -1, 1, 1) for name in ("mean", "deviation"))
    with torch.no_grad():
        target = (nets[f"teacher_{patch}"](around, o.stride) - mean) / deviation
        students = torch.stack([nets[f"student_{patch}_{i}"](around, o.stride) for i in (1, 2, 3)])
    return error_and_disagreement(students, target)


@pytest.fixture(scope="module")
def all_patches():
    return make(patch=0).fit(NORMAL)


def test_moments_are_those_of_all_rows():
    x = np.random.default_rng(0).normal(3, 2, (40, 5)).astype(np.float32)
    x[:, 2] = 7
    fit = moments_fit("m", 5, torch.device("cpu"), lambda index: torch.from_numpy(x)[index])
    for index in torch.arange(40).split(7):
        fit.update(index)
    found = {name.removeprefix("m/"): value for name, value in fit.result().items()}
    np.testing.assert_allclose(found["mean"], x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found["deviation"], x.std(0), rtol=1e-4, atol=1e-6)
    rows = standardised(torch.from_numpy(x), found)
    np.testing.assert_allclose(rows.std(0, correction=0), [1, 1, 0, 1, 1], rtol=1e-4)


def test_moments_of_the_teacher_and_of_the_scores_are_those_of_a_brute_force(tmp_path):
    detector = make(places=0).fit(NORMAL)
    learned, kept = learned_and_kept_back(plan_of(detector, tmp_path))
    around = padded(to_unit(NORMAL.pixels[learned.numpy()], torch.device("cpu")), 17)
    with torch.no_grad():
        outputs = detector.networks_["teacher_17"](around).movedim(1, 3).flatten(0, 2)
    found = detector.tensors_
    torch.testing.assert_close(found["outputs_17/mean"], outputs.mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["outputs_17/deviation"], outputs.std(0, correction=0), rtol=1e-3, atol=1e-6)
    parts = torch.stack([part.flatten() for part in raw(detector, 17, NORMAL, kept.numpy())], 1)
    torch.testing.assert_close(found["scores_17/mean"], parts.mean(0), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(found["scores_17/deviation"], parts.std(0, correction=0), rtol=1e-3, atol=1e-6)


def test_the_map_is_the_mean_over_sides_of_patches(all_patches):
    standard = []
    for patch in (17, 33, 65):
        moments = [all_patches.tensors_[f"scores_{patch}/{name}"] for name in ("mean", "deviation")]
        e, v = raw(all_patches, patch, TEST, slice(None))
        standard.append((e - moments[0][0]) / moments[1][0] + (v - moments[0][1]) / moments[1][1])
    coarse = torch.stack(standard).mean(0)
    whole = torch.nn.functional.interpolate(coarse[:, None], 64, mode="bilinear")[:, 0]
    (prediction,) = all_patches.predict(TEST)
    np.testing.assert_allclose(prediction.maps["anomaly_map"], whole, rtol=1e-3, atol=1e-3)


def test_scores_are_those_of_the_maps(all_patches):
    (prediction,) = all_patches.predict(TEST)
    maps, scores = prediction.maps, prediction.scores
    np.testing.assert_allclose(maps["anomaly_map"], maps["error"] + maps["disagreement"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scores["mean"], maps["anomaly_map"].mean((1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scores["max"], maps["anomaly_map"].max((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(scores["pred_score"], scores["mean"])


def test_networks_are_those_of_all_sides(all_patches):
    assert set(all_patches.networks_) == {
        *(f"teacher_{p}" for p in (17, 33, 65)),
        *(f"student_{p}_{i}" for p in (17, 33, 65) for i in (1, 2, 3)),
    }
    assert not any(name.startswith(("teacher", "student")) for name in all_patches.tensors_)


@pytest.mark.parametrize("teacher", ["distillation", "metric"])
def test_teacher_and_students_learn(teacher):
    detector = make(teacher=teacher, teacher_steps=40, teacher_lr=5e-3, student_steps=160, student_lr=5e-3)
    curves = detector.fit(NORMAL).loss_curves_
    for name in ("teacher_17", "student_17_1", "student_17_2", "student_17_3"):
        steps = curves[name]
        quarter = len(steps) // 4
        assert steps[-quarter:].mean() < 0.9 * steps[:quarter].mean(), name


def test_metric_learning_looks_at_no_extractor(monkeypatch):
    def refuse(name, weights=""):
        raise AssertionError("an extractor is read")

    for module in ("student_teacher", "student_data", "detector"):
        monkeypatch.setattr(f"medad.detectors.features.{module}.read_extractor", refuse)
    detector = make(teacher="metric", extractor="efficientnet_lite0", weights="nowhere.pth").fit(NORMAL)
    assert np.isfinite(next(detector.predict(TEST)).scores["pred_score"]).all()
    assert "target_17/mean" not in detector.tensors_


def test_distillation_without_weights_is_refused_in_one_line(tmp_path):
    with pytest.raises(UserError, match="nowhere.pth"):
        make(extractor="efficientnet_lite0", weights=str(tmp_path / "nowhere.pth")).fit(NORMAL)


def test_targets_are_standardised_and_at_most_512(tmp_path, monkeypatch):
    detector = make()
    plan = plan_of(detector, tmp_path)
    moments = {"mean": torch.full((1024,), 0.5), "deviation": torch.full((1024,), 2.0)}
    monkeypatch.setattr("medad.detectors.features.student_data.read_moments", lambda plan, fit: moments)
    patches = torch.randn(400, 1, 32, 32) * 2 + 0.5
    target = Target(plan, "target_17")
    target.extractor.forward = lambda x: {"pixels": patches}
    found = target(patches)
    assert found.shape == (400, 512)
    assert found.std().item() == pytest.approx(1, abs=0.05) and abs(found.mean().item()) < 0.01
    patches[0] = 1e9  # of a number that is nearly always the same
    assert target(patches)[0].norm() < 5.1 * 1024**0.5 * torch.linalg.matrix_norm(target.mixing, 2)
    again = Target(plan, "target_33")
    assert torch.equal(again.mixing, target.mixing)


def test_a_tenth_is_kept_back_and_patients_stay_together(tmp_path):
    images = make_images(40, 32)
    patients = tuple(f"patient {i // 4}" for i in range(40))
    plan = plan_of(make(), tmp_path, images, make_images(5, 32), (*patients, *[""] * 5))
    learned, kept = learned_and_kept_back(plan)
    assert sorted([*learned.tolist(), *kept.tolist()]) == list(range(40))
    assert len(kept) == 4 and len({patients[i] for i in kept}) == 1
    assert teachers_images(plan).tolist() == [*learned.tolist(), *range(40, 45)]
    other = learned_and_kept_back(replace(plan, seed=1))[1]
    assert other.tolist() != kept.tolist()
    one = replace(plan, data=replace(plan.data, patients=("the only one",) * 40 + ("",) * 5))
    assert len(learned_and_kept_back(one)[1]) == 4


def test_keys_depend_on_what_counts_and_on_nothing_else(tmp_path, monkeypatch):
    def keys(**options):
        detector = make(**options)
        stages = stages_of(detector, plan_of(detector, tmp_path).data, tmp_path)
        return {spec.name: spec.key for stage in stages for spec in stage}

    def same(one, other):
        return {name for name in one if one[name] == other.get(name)}

    base = keys()
    assert list(base) == ["target_17", "teacher_17", "outputs_17", *(f"student_17_{i}" for i in (1, 2, 3)), "scores_17"]
    assert same(base, keys(stride=4)) == set(base) - {"scores_17"}
    assert same(base, keys(student_lr=1e-2)) == {"target_17", "teacher_17", "outputs_17"}
    assert same(base, keys(patch=0)) == set(base)
    assert same(base, keys(holdout=0.1)) == set(base)
    assert same(base, keys(width=5)) == same(base, keys(teacher_steps=9)) == set()
    monkeypatch.setattr(registry, "weights_digest", lambda weights: "other weights")
    assert same(base, keys()) == set()


@pytest.mark.parametrize(
    ("option", "value"), [("patch", 16), ("stride", 3), ("teacher", "somebody"), ("extractor", "none")]
)
def test_options_that_there_are_not(option, value):
    with pytest.raises(OptionError, match=f"{option}="):
        make(**{option: value})
