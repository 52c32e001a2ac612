"""IGD: losses, schedule and scores against hand-made values, and that a stop changes nothing."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of
from torch import nn

from medad.detectors.contract.plan import TrainingData
from medad.detectors.one_class.igd import IGD, critic_loss, generator_loss, pieces
from medad.detectors.one_class.igd_networks import IGDGenerator, dissimilarity
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.networks.resnet import FrozenResNet18
from medad.training.checkpoint import load_tensors
from medad.training.loop import Interrupted, train_in_turns
from medad.training.spec import Spec

COUNT = 12
PIXELS = make_images(COUNT, seed=1).pixels


class MeanCritic(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((1, 2, 3))


def tiny(**options: object) -> IGD:
    return make_detector("igd", "tiny", device="cpu", jobs=1, **options)


def specs(detector: IGD, folder: Path) -> list[Spec]:
    np.save(folder / "normal.npy", PIXELS)
    (stage,) = stages_of(detector, TrainingData((folder / "normal.npy",), (COUNT,), ("images",)), folder)
    return stage


@pytest.fixture(scope="module")
def resnet_weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(FrozenResNet18().state_dict(), path)
    return path


def test_recipe():
    o = make_detector("igd", "paper", device="cpu").options
    assert (o.epochs, o.batch_size, o.keep_last, o.lr, o.beta1, o.beta2) == (256, 16, False, 1e-4, 0.0, 0.9)
    assert (o.weight_decay, o.width, o.latent, o.encoder, o.multi_scale) == (1e-6, 64, 128, "scratch", False)


def test_optimisers_and_schedule(tmp_path):
    (spec,) = specs(tiny(steps=100), tmp_path)
    phase = spec.make()
    decays = {name: {g["weight_decay"] for g in o.param_groups} for name, o in phase.optimisers.items()}
    assert decays == {"igd": {1e-6}, "igd_critic": {0.0}}
    generator = phase.networks["igd"]
    for number, refreshed in ((0, True), (1, False), (29, False), (30, True), (31, False)):  # three steps an epoch
        generator.centre.fill_(7.0)
        phase.schedule(number)
        assert bool((generator.centre != 7).all()) == refreshed
        for optimiser in phase.optimisers.values():
            assert [g["lr"] for g in optimiser.param_groups] == [pytest.approx(1e-4 * (1 - number / 100) ** 0.9)]
    assert generator.training


@pytest.mark.parametrize("number", [0, 30])
def test_the_gaussian_is_that_of_all_training_images(tmp_path, number):
    (spec,) = specs(tiny(), tmp_path)
    phase = spec.make()
    generator = phase.networks["igd"]
    generator.to_code.weight.data.mul_(20)
    x = torch.from_numpy(PIXELS / np.float32(127.5) - 1)
    with torch.no_grad():
        generator.train(number == 0)  # the first time batch norms have no running statistics
        codes = torch.cat([generator.encode(part) for part in x.split(4)]).numpy()
    phase.schedule(number)
    assert generator.training
    mean = codes.mean(0)
    centre = np.where(np.abs(mean) < 0.1, np.copysign(0.1, mean), mean)
    np.testing.assert_allclose(generator.centre, centre, rtol=1e-3, atol=1e-5)
    sigma = ((codes - centre) ** 2).sum(1).mean()
    assert sigma > 1, "the test shows nothing"
    np.testing.assert_allclose(generator.sigma, sigma, rtol=1e-3)


@torch.no_grad()
def test_losses():
    torch.manual_seed(0)
    generator, critic = IGDGenerator(64, 1, 1, 4).eval(), MeanCritic()
    generator.centre.fill_(0.2)
    generator.sigma.fill_(1.7)
    x, share = torch.rand(5, 1, 64, 64) * 2 - 1, torch.tensor([0.0, 0.1, 0.2, 0.3, 0.5])
    made: list[torch.Tensor] = []
    loss = generator_loss(generator, critic, x, share, made)
    z = generator.encode(x)
    mixed = torch.stack([share[i] * z[i] + (1 - share[i]) * z[4 - i] for i in range(5)])
    x_hat, between = generator.decode(z), generator.decode(mixed)
    for found, expected in zip(made, (x_hat, between), strict=True):
        torch.testing.assert_close(found, expected)
    surprise = sum(1 - torch.exp(-((z[i] - 0.2) ** 2).sum() / 1.7) for i in range(5)) / 5
    outputs = [float(image.mean()) for image in between]
    expected = dissimilarity(x, x_hat).mean() + surprise + 0.1 * np.mean(np.square(outputs))
    torch.testing.assert_close(loss, expected)
    near = [float((0.2 * x[i] + 0.8 * x_hat[i]).mean()) for i in range(5)]
    expected_critic = np.mean([(outputs[i] - float(share[i])) ** 2 for i in range(5)]) + np.mean(np.square(near))
    assert critic_loss(critic, x, share, *made).item() == pytest.approx(expected_critic, rel=1e-4)


def test_shares_lie_between_0_and_a_half_and_one_step_moves_both_networks(tmp_path):
    (spec,) = specs(tiny(), tmp_path)
    phase = spec.make()
    before = {name: next(net.parameters()).clone() for name, net in phase.networks.items()}
    x, share = phase.draw(torch.arange(COUNT))
    assert x.shape == (COUNT, 1, 1, 64, 64)
    assert share.shape == (COUNT, 1)
    assert 0 <= share.min() < share.max() <= 0.5
    phase.schedule(0)
    phase.step((x[:4], share[:4]))
    assert all((next(net.parameters()) != before[name]).any() for name, net in phase.networks.items())


def test_a_stopped_training_ends_as_one_that_was_left_alone(tmp_path):
    results = []
    for stopped in (False, True):
        folder = tmp_path / str(stopped)
        folder.mkdir()
        (spec,) = specs(tiny(steps=13, batch_size=COUNT), folder)  # one step an epoch: a refresh before step 10
        if stopped:
            done = [0]
            with pytest.raises(Interrupted):
                train_in_turns([spec], folder, lambda name, n, seen=done: seen.append(n), partial(reached, done, 11))
        train_in_turns([spec], folder, lambda name, n: None, lambda: False)
        results.append(load_tensors(folder / "igd.safetensors")[0])
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def reached(done: list[int], step: int) -> bool:
    return done[-1] >= step


def test_patches():
    x = torch.rand(2, 3, 64, 64)
    patches = pieces(x, 32)
    assert patches.shape == (2, 9, 3, 32, 32)
    expected = [x[:, :, i : i + 32, j : j + 32] for i in (0, 16, 32) for j in (0, 16, 32)]
    assert torch.equal(patches, torch.stack(expected, 1))
    assert torch.equal(pieces(x, 64), x[:, None])
    assert pieces(torch.rand(1, 1, 256, 256), 32).shape[1] == 225


def test_scores():
    images = make_images(3, seed=3)
    detector = tiny(multi_scale=True).fit(make_images(COUNT, seed=1))
    (prediction,) = detector.predict(images)
    x = torch.from_numpy(images.pixels / np.float32(127.5) - 1)
    whole, small = (detector.networks_[name] for name in ("igd", "igd_patches"))

    def parts(network: IGDGenerator, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        z = network.encode(x)
        return dissimilarity(x, network.decode(z)), network.surprise(z)

    with torch.no_grad():
        rec, one_class = parts(whole, x)
        patches = [parts(small, x[:, :, i : i + 32, j : j + 32]) for i in (0, 16, 32) for j in (0, 16, 32)]
        residual = (x - whole.decode(whole.encode(x))).abs()[:, 0]
    patch = torch.stack([0.9 * a + 0.1 * b for a, b in patches]).max(0).values
    expected = {"rec": rec, "one_class": one_class, "patch": patch}
    expected["pred_score"] = (patch + 0.1 * rec + 0.9 * one_class) / 2
    assert prediction.scores.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(prediction.scores[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(prediction.maps["anomaly_map"], residual, rtol=1e-3, atol=1e-5)
    (single,) = tiny().fit(make_images(COUNT, seed=1)).predict(images)
    np.testing.assert_allclose(single.scores["pred_score"], (rec + one_class) / 2, rtol=1e-4)


def test_the_whole_image_is_learned_alike_with_and_without_patches(tmp_path):
    (alone,), (whole, patches) = (specs(tiny(multi_scale=m), tmp_path) for m in (False, True))
    assert alone.key == whole.key
    assert patches.key != whole.key
    assert patches.recipe.steps_per_epoch == 6  # two images at a time


def test_resnet18_is_frozen_and_becomes_part_of_the_detector(tmp_path, resnet_weights):
    options = {"encoder": "resnet18", "resnet_weights": str(resnet_weights)}
    detector = tiny(**options).fit(make_images(COUNT, seed=1))
    state = detector.networks_["igd"].features.state_dict()
    published = torch.load(resnet_weights, weights_only=True)
    assert all(torch.equal(state[name], published[name]) for name in published)
    detector.save(tmp_path)
    (spec,) = specs(tiny(**options), tmp_path)
    copy = resnet_weights.rename(resnet_weights.with_name("moved.pth"))
    (moved,) = specs(tiny(**options | {"resnet_weights": str(copy)}), tmp_path)
    assert moved.key == spec.key
    images = make_images(3, seed=3)
    loaded = IGD.load(tmp_path, device="cpu")  # the file is not where it was
    for a, b in zip(detector.predict(images), loaded.predict(images), strict=True):
        np.testing.assert_array_equal(a.scores["pred_score"], b.scores["pred_score"])
    copy.rename(resnet_weights)


def test_impossible_options_are_refused(tmp_path):
    with pytest.raises(UserError, match="encoder='vgg': choose from scratch, resnet18"):
        tiny(encoder="vgg")
    with pytest.raises(UserError, match=r"name a file of its weights with option resnet_weights"):
        tiny(encoder="resnet18")
    with pytest.raises(UserError, match=r"nowhere\.pth: not a readable file of weights"):
        tiny(encoder="resnet18", resnet_weights=str(tmp_path / "nowhere.pth")).fit(make_images(COUNT))
    with pytest.raises(UserError, match=r"multi_scale: patches need images of at least 64 pixels"):
        tiny(size=32, multi_scale=True)
