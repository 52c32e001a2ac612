"""Detectors of pasted anomalies: recipe, what is pasted from where, scores, choosing epochs, and that they learn."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.detectors.synthetic import segmentation
from medad.detectors.synthetic.crops import centre_crop
from medad.detectors.synthetic.pasted import FPI, NSA, CutPasteE2E
from medad.errors import UserError
from medad.evaluation.metrics import auroc
from medad.synthesis.contract import Made
from medad.synthesis.registry import make_synthesis
from medad.training.checkpoint import network_state
from medad.training.pixels import to_unit

METHODS = ("fpi", "pii", "nsa", "cutpaste_e2e")


def make(method="fpi", preset="tiny", **options):
    return make_detector(method, preset, device="cpu", jobs=1, **options)


def options_of(method, **options):
    return make(method, "paper", **options).options


def flat_images(count, first):
    """Return images of one grey level each, ten apart from `first` on, so that pixels tell which image they are of."""
    levels = first + 10 * np.arange(count, dtype=np.uint8)
    return replace(make_images(count), pixels=np.broadcast_to(levels[:, None, None, None], (count, 1, 64, 64)).copy())


@pytest.mark.parametrize(
    ("method", "label"), [("fpi", "continuous"), ("pii", "continuous"), ("nsa", "logistic"), ("cutpaste_e2e", "binary")]
)
def test_recipe(method, label):
    o = options_of(method)
    assert (o.size, o.width, o.label, o.background) == (256, 64, label, 0)
    assert (o.batch_size, o.lr, o.beta1, o.beta2, o.weight_decay) == (64, 1e-3, 0.9, 0.999, 0)
    assert (o.recipe(1000).total_steps, o.recipe(1000).steps_per_epoch) == (250 * 16, 16)


def test_learning_rate_is_pytorchs_cosine_annealing():
    options = options_of("fpi", epochs=7)
    ours, theirs = (SGD([torch.zeros(1, requires_grad=True)], lr=1e-3) for _ in range(2))
    before_step = FPI.schedule(options, ours, options.recipe(1000))
    scheduler = CosineAnnealingLR(theirs, T_max=7, eta_min=1e-6)
    for epoch in range(7):
        for number in (16 * epoch, 16 * epoch + 15):
            before_step(number)
            assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-9)
        theirs.step()
        scheduler.step()


@pytest.mark.parametrize("method", METHODS)
def test_samples_are_crops_in_the_unit_range_with_labels_where_they_changed(method):
    x = to_unit(make_images(12).pixels, torch.device("cpu"))

    class Images:
        def __len__(self):
            return 12

        def __call__(self, index):
            return x[index]

    detector = make(method)
    torch.manual_seed(0)
    images, labels = type(detector).samples(detector.options, Images(), torch.arange(12))
    assert images.shape == (12, 1, 56, 56) and labels.shape == (12, 56, 56)
    assert images.min() >= 0 and images.max() <= 1
    assert labels.dtype == torch.float32 and 0 < labels.max() <= 1 and labels.min() == 0


def test_the_papers_patches_do_not_ask_for_objects():
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) // 4, (4, 1, 64, 64))  # darker than any object
    x = to_unit(ramp, torch.device("cpu"))
    shares = []
    for anywhere in (False, True):
        made = make_synthesis(
            "cutpaste", "binary", **CutPasteE2E.settings(options_of("cutpaste_e2e", anywhere=anywhere))
        )
        torch.manual_seed(0)
        shares.append(made(x, x).labels.amax((1, 2)).mean().item())
    assert shares[0] == 0 and shares[1] > 0


@pytest.fixture
def pasted(monkeypatch):
    """Record the grey levels of images and sources instead of pasting."""
    seen = []

    def record(images, sources):
        levels = [set(((x[:, 0, 28, 28] + 1) * 127.5).round().int().tolist()) for x in (images, sources)]
        pairs = (images[:, 0, 28, 28] == sources[:, 0, 28, 28]).sum().item()
        seen.append((*levels, pairs))
        return Made(images, torch.zeros_like(images[:, 0]))

    monkeypatch.setattr(segmentation, "make_synthesis", lambda *_, **__: record)
    monkeypatch.setattr(segmentation.SegmentationDetector, "_clean", lambda *_: (0, 1))  # looks at other images first
    return seen


def fit_flat(method, unlabeled=True, **options):
    detector = make(method, steps=12, **options)
    return detector.fit(flat_images(5, 10), flat_images(4, 110) if unlabeled else None)


NORMAL, UNLABELED = {10, 20, 30, 40, 50}, {110, 120, 130, 140}


@pytest.mark.parametrize("method", ["fpi", "cutpaste_e2e"])
def test_unlabeled_images_are_sources_and_nothing_else(method, pasted):
    fit_flat(method)
    for images, _, same in pasted:
        assert images == NORMAL and same == 0
    assert set().union(*(sources for _, sources, _ in pasted)) == NORMAL | UNLABELED


@pytest.mark.parametrize("given", [{"unlabeled": False}, {"use_unlabeled": False}])
def test_without_them_sources_are_the_other_normal_images(given, pasted):
    fit_flat("nsa", **given)
    assert set().union(*(sources for _, sources, _ in pasted)) == NORMAL
    assert all(same == 0 for _, _, same in pasted)


@pytest.mark.parametrize("given", [{"unlabeled": False}, {"use_unlabeled": False}])
def test_plain_cutpaste_takes_patches_of_the_image_itself(given, pasted):
    fit_flat("cutpaste_e2e", **given)
    assert all(same == 5 for _, _, same in pasted)


@pytest.mark.parametrize("method", ["fpi", "cutpaste_e2e"])
def test_the_plain_form_is_the_same_however_it_is_asked_for(method, tmp_path):
    normal, pool = make_images(6, seed=1), make_images(4, seed=2)
    refused, without = make(method, use_unlabeled=False).fit(normal, pool), make(method).fit(normal)
    ours, theirs = network_state(refused.networks_), network_state(without.networks_)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    both, one = TrainingData((tmp_path, tmp_path), (6, 4), ("a", "b")), TrainingData((tmp_path,), (6,), ("a",))
    keys = [
        stages_of(detector, data, tmp_path)[0][0].key
        for detector, data in ((make(method, use_unlabeled=False), both), (make(method), one), (make(method), both))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_scores_are_of_the_padded_map():
    detector = make("nsa").fit(make_images(6, seed=1))
    images = make_images(3, seed=3)
    (prediction,) = detector.predict(images)
    x = (centre_crop(to_unit(images.pixels, torch.device("cpu"))) + 1) / 2
    expected = np.pad(detector.networks_["nsa"](x)[:, 0].sigmoid().numpy(), ((0, 0), (4, 4), (4, 4)))
    np.testing.assert_allclose(prediction.maps["anomaly_map"], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(prediction.scores["mean"], expected.mean((1, 2)), rtol=1e-3)
    np.testing.assert_allclose(prediction.scores["max"], expected.max((1, 2)), rtol=1e-3)
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["mean"])
    assert (prediction.scores["top"] <= prediction.scores["max"]).all()


def test_an_intensity_is_learned_as_a_number():
    network = torch.nn.Identity()
    images, labels = torch.randn(3, 1, 8, 8), 20 * torch.rand(3, 8, 8)
    loss = NSA.objective(options_of("nsa", label="intensity"), network)(images, labels)
    assert loss == pytest.approx((images[:, 0].clamp(min=0) - labels).square().mean().item())
    soft = NSA.objective(options_of("nsa"), network)(images, labels / 20)
    p, y = images[:, 0].sigmoid(), labels / 20
    assert soft == pytest.approx(-(y * p.log() + (1 - y) * (1 - p).log()).mean().item(), rel=1e-4)
    detector = make("nsa", label="intensity").fit(make_images(6, seed=1))
    assert next(detector.predict(make_images(2))).maps["anomaly_map"].min() == 0


def test_images_with_no_place_to_paste_are_counted_and_said(capsys):
    black = replace(make_images(5), pixels=np.zeros((5, 1, 64, 64), np.uint8))
    make("nsa").fit(black)
    assert "nsa: 5 of 5 normal images stayed clean, for want of a place to paste" in capsys.readouterr().err
    make("nsa").fit(make_images(5))
    assert "stayed clean" not in capsys.readouterr().err


def test_one_image_is_too_few():
    for method in METHODS:
        with pytest.raises(UserError, match="1 normal image.*at least 2 are needed to train on"):
            make(method).fit(make_images(1))


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("nsa", {"label": "continuous"}, "label='continuous': choose from"),
        ("cutpaste_e2e", {"label": "alpha"}, "label='alpha': choose from"),
        ("fpi", {"width": 24}, "width=24: choose a multiple of 16"),
        ("fpi", {"background": 300}, "background=300"),
    ],
)
def test_impossible_options_are_refused(method, options, message):
    with pytest.raises(UserError, match=message):
        make(method, **options)


def test_epochs_are_chosen_without_labels(phantoms, tmp_path):
    chosen = ("select", str(phantoms), "--methods", "fpi", "--epochs", "1,2", "--out", str(tmp_path / "run"))
    assert main([*chosen, "--preset", "tiny", "--size", "64", "--device", "cpu", "--jobs", "1"]) == 0
    record = json.loads((tmp_path / "run" / "select.json").read_text())
    assert set(record["methods"]) == {"1 epochs", "2 epochs"}


def pixel_auroc(detector, images):
    """Return it for images of lesions, over the middle, where the network looks."""
    maps = np.concatenate([prediction.maps["anomaly_map"] for prediction in detector.predict(images)])
    middle = (slice(None), slice(4, 60), slice(4, 60))
    return auroc(images.masks[middle].ravel().astype(int), maps[middle].ravel())


@pytest.mark.parametrize(
    ("normal", "learning", "least"),
    [
        (96, {"epochs": 8, "batch_size": 8, "lr": 3e-3}, 0.65),
        pytest.param(256, {"epochs": 40, "batch_size": 16, "lr": 2e-3}, 0.9, marks=pytest.mark.slow),
    ],
)
def test_nsa_learns_to_find_lesions(normal, learning, least):
    phantoms = phantom_benchmark(normal=normal, unlabeled=0, test=(1, 40), level="plain")
    lesions = phantoms.test.subset(np.flatnonzero(np.isin(phantoms.test.kinds, ("bright", "dark", "texture"))))
    assert abs(pixel_auroc(make("nsa").untrained(), lesions) - 0.5) < 0.2
    detector = make("nsa", steps=None, **learning).fit(phantoms.normal.unlabelled())
    assert pixel_auroc(detector, lesions) > least


def test_samples_do_not_depend_on_anything_but_the_seed():
    detector = make("pii")
    x = to_unit(make_images(5).pixels, torch.device("cpu"))
    images = type("Images", (), {"__len__": lambda self: 5, "__call__": lambda self, index: x[index]})()
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(type(detector).samples(detector.options, images, torch.arange(5)))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
