"""Both stages: optimiser and schedule, loss, density, pretrained encoders, lungs, and that a stop changes nothing."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of
from sklearn.covariance import LedoitWolf

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import TrainingData
from medad.detectors.features.density import density_distance, learn_density
from medad.detectors.registry import load_detector, make_detector
from medad.detectors.synthetic import anatpaste
from medad.detectors.synthetic.anatpaste import LungPatches
from medad.detectors.synthetic.classifier import PatchClassifier, classification_loss
from medad.errors import UserError
from medad.networks.resnet import FrozenResNet18
from medad.synthesis.cutpaste import CLASSES
from medad.training.checkpoint import load_tensors
from medad.training.loop import train_in_turns
from medad.training.phase import Phase
from medad.training.pixels import to_unit
from medad.training.spec import Spec

NORMAL, TEST = make_images(8, seed=1), make_images(3, seed=3)


def tiny(method: str = "cutpaste", **options: object) -> Detector:
    return make_detector(method, "tiny", device="cpu", jobs=1, **options)


def specs(detector: Detector, folder: Path) -> list[Spec]:
    np.save(folder / "normal.npy", NORMAL.pixels)
    data = TrainingData((folder / "normal.npy",), (len(NORMAL),), ("images",))
    return [spec for stage in stages_of(detector, data, folder) for spec in stage]


def embedded(detector: Detector, images: ImageSet) -> torch.Tensor:
    network = detector.networks_[detector.name]
    with torch.no_grad():
        return torch.cat(
            [network(to_unit(images.pixels[i : i + 1], torch.device("cpu")))[0] for i in range(len(images))]
        )


@pytest.mark.parametrize("method", ["cutpaste", "anatpaste"])
def test_recipe(method):
    o = make_detector(method, "paper", device="cpu").options
    assert (o.size, o.steps, o.batch_size, o.width, o.hidden, o.encoder) == (224, 25_600, 64, 64, 1, "scratch")
    assert (o.lr, o.momentum, o.weight_decay, o.frozen_steps) == (0.03, 0.9, 3e-5, 20)


def test_sgd_and_its_schedule(tmp_path):
    phase = specs(tiny(steps=100), tmp_path)[0].make()
    assert isinstance(phase, Phase)
    (optimiser,) = phase.optimisers.values()
    assert isinstance(optimiser, torch.optim.SGD)
    assert {(g["momentum"], g["weight_decay"]) for g in optimiser.param_groups} == {(0.9, 3e-5)}
    trained = sum(len(g["params"]) for g in optimiser.param_groups)
    assert trained == len(list(phase.networks["cutpaste"].parameters()))
    for number in (0, 25, 50, 99):
        phase.schedule(number)
        expected = 0.03 * 0.5 * (1 + math.cos(math.pi * number / 100))
        assert [g["lr"] for g in optimiser.param_groups] == [pytest.approx(expected)] * 2


def test_a_pretrained_encoder_waits(tmp_path, resnet_file):
    detector = tiny(encoder="resnet18", weights=resnet_file, frozen_steps=2, steps=3)
    phase = specs(detector, tmp_path)[0].make()
    weights = {name: p.detach().clone() for name, p in phase.networks["cutpaste"].named_parameters()}
    given = torch.load(resnet_file, weights_only=True)
    assert torch.equal(weights["encoder.layer1.0.conv1.weight"], given["layer1.0.conv1.weight"])
    for number, moved in ((0, {False}), (1, {False}), (2, {True})):
        phase.advance(torch.arange(4), 4, number)
        found = dict(phase.networks["cutpaste"].named_parameters())
        changed = {torch.equal(found[n], w) for n, w in weights.items() if n.startswith("encoder.layer")}
        assert {not same for same in changed} == moved
        assert not torch.equal(found["head.0.weight"], weights["head.0.weight"])


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(FrozenResNet18().state_dict(), path)
    return str(path)


def test_what_a_file_of_weights_holds_counts_and_not_where_it_lies(tmp_path, resnet_file):
    moved = tmp_path / "moved.pth"
    moved.write_bytes(Path(resnet_file).read_bytes())
    other = tmp_path / "other.pth"
    torch.save(FrozenResNet18().state_dict(), other)
    keys = [
        [spec.key for spec in specs(tiny(encoder="resnet18", weights=str(path)), tmp_path)]
        for path in (resnet_file, moved, other)
    ]
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])
    with pytest.raises(UserError, match="nowhere"):
        tiny(encoder="resnet18", weights="nowhere.pth").fit(NORMAL)


def test_a_pretrained_run_needs_no_file_when_it_is_loaded(tmp_path, resnet_file):
    weights = tmp_path / "resnet18.pth"
    weights.write_bytes(Path(resnet_file).read_bytes())
    detector = tiny(encoder="resnet18", weights=str(weights)).fit(NORMAL)
    detector.save(tmp_path / "run")
    weights.unlink()
    loaded = load_detector(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(loaded.scores(TEST)["density"], detector.scores(TEST)["density"])


@pytest.mark.parametrize("method", ["cutpaste", "anatpaste"])
def test_a_stop_changes_nothing(tmp_path, method):
    results = []
    for until in (None, 2):
        folder = tmp_path / str(until)
        folder.mkdir()
        stages = specs(tiny(method, steps=5), folder)
        if until:
            train_in_turns(stages[:1], folder, lambda name, n: None, lambda: False, until=until)
            assert not (folder / f"{method}.safetensors").exists()
        for spec in stages:
            train_in_turns([spec], folder, lambda name, n: None, lambda: False)
        results.append([load_tensors(folder / f"{spec.name}.safetensors")[0] for spec in stages])
    for one, other in zip(*results, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_the_head_has_its_layers(hidden):
    network = PatchClassifier(torch.nn.Flatten(), 16, 3, hidden)
    linear = [(m.in_features, m.out_features) for m in network.head if isinstance(m, torch.nn.Linear)]
    sides = [16, *[512] * hidden, 128, 3]
    assert linear == list(zip(sides, sides[1:], strict=False))
    d, logits = network(torch.rand(4, 1, 4, 4))
    assert d.shape == (4, 16) and logits.shape == (4, 3)


def test_the_loss_is_the_cross_entropy_of_all_classes():
    torch.manual_seed(0)
    network = PatchClassifier(torch.nn.Flatten(), 16, 3, 1)
    x = torch.rand(5, 3, 1, 4, 4)
    found = classification_loss(network, x)
    network.train()
    logits = network(x.flatten(0, 1))[1].log_softmax(1).view(5, 3, 3)
    expected = -sum(logits[:, k, k].sum() for k in range(3)) / 15
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("variant", CLASSES)
def test_every_variant_learns(variant):
    detector = tiny(variant=variant).fit(NORMAL)
    assert detector.networks_["cutpaste"].head[-1].out_features == CLASSES[variant]
    scores = detector.scores(TEST)
    assert (scores["classifier"] >= 0).all() and (scores["classifier"] <= 1).all()
    with pytest.raises(UserError, match="variant"):
        tiny(variant="4way")


def test_the_density_is_of_all_training_images_in_evaluation_mode():
    detector = tiny().fit(make_images(40, seed=1))
    rows, test = (embedded(detector, images).double().numpy() for images in (make_images(40, seed=1), TEST))
    rows, test = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rows, test))
    model = LedoitWolf().fit(rows)
    expected = np.sqrt(model.mahalanobis(test))
    np.testing.assert_allclose(detector.scores(TEST)["density"], expected, rtol=2e-3)


def test_distances_of_what_was_learned_from():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 16)) @ rng.normal(size=(16, 16)) + 3
    density = learn_density(rows)
    distances = density_distance(density, torch.from_numpy(rows))
    assert 14 < distances.square().mean() <= 16
    scaled = learn_density(1000 * rows)
    order = density_distance(scaled, torch.from_numpy(1000 * rows)).argsort()
    assert torch.equal(order, distances.argsort())


def test_lungs_are_looked_for_once_in_each_image(monkeypatch):
    seen = []

    def lung_mask(grey: np.ndarray) -> np.ndarray:
        seen.append(grey)
        return np.ones_like(grey, bool)

    monkeypatch.setattr(anatpaste, "lung_mask", lung_mask)
    x = to_unit(NORMAL.pixels, torch.device("cpu"))
    patches = LungPatches()
    for index in ([0, 1, 2], [2, 1, 5], [0, 5]):
        (found,) = patches(lambda i: x[i], torch.tensor(index))
        assert found.shape == (len(index), 2, 1, 64, 64)
    for grey, number in zip(seen, (0, 1, 2, 5), strict=True):
        np.testing.assert_allclose(grey, NORMAL.pixels[number, 0] / 255, atol=1e-6)
        np.testing.assert_array_equal(grey == 0, NORMAL.pixels[number, 0] == 0)


def test_masks_belong_to_their_images(monkeypatch):
    marks = {}

    def lung_mask(grey: np.ndarray) -> np.ndarray:
        mask = np.zeros_like(grey, bool)
        mask[10:50, 8 * len(marks) : 8 * len(marks) + 8] = True
        marks[grey.tobytes()] = mask
        return mask

    monkeypatch.setattr(anatpaste, "lung_mask", lung_mask)
    x = to_unit(NORMAL.pixels, torch.device("cpu"))
    patches = LungPatches()
    patches(lambda i: x[i], torch.arange(4))
    (found,) = patches(lambda i: x[i], torch.tensor([3, 4, 0]))
    for images, number in zip(found, (3, 4, 0), strict=True):
        changed = (images[0] != images[1])[0].any(0).nonzero()[:, 0]
        assert changed.min() >= 8 * number and changed.max() < 8 * number + 8
