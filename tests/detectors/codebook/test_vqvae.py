"""VQ-VAE with a prior: recipe, thresholds, score and map against their formulas; resumed training."""

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.codebook import vqvae
from medad.detectors.codebook.vqvae import smoothed, weighted_residual
from medad.detectors.codebook.vqvae_training import VQVAEOptions, clipped_adam, thresholds_of
from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.checkpoint import load_tensors
from medad.training.loop import Interrupted, train_in_turns
from medad.training.pixels import share_pixels, to_unit


@pytest.fixture(scope="module")
def detector():
    return make_detector("vqvae", "tiny", device="cpu", jobs=1, restorations=3).fit(make_images(12, seed=1))


@pytest.fixture(scope="module")
def x():
    return to_unit(make_images(3, seed=3).pixels, torch.device("cpu"))


def test_recipe():
    o = make_detector("vqvae", "paper", device="cpu").options
    assert (o.epochs, o.batch_size, o.lr, o.beta1, o.beta2, o.weight_decay) == (600, 64, 1e-4, 0.9, 0.999, 0.0)
    assert (o.width, o.codes, o.prior_width, o.prior_blocks, o.restorations) == (16, 128, 128, 4, 15)
    with pytest.raises(UserError, match="restorations=0"):
        make_detector("vqvae", restorations=0)


def test_every_value_of_the_gradient_is_clipped():
    network = torch.nn.Linear(3, 1, bias=False)
    optimiser = clipped_adam(VQVAEOptions(), network)
    network(torch.tensor([[5.0, 0.5, -7.0]])).sum().backward()
    optimiser.step()
    assert network.weight.grad.tolist() == [[1.0, 0.5, -1.0]]
    assert optimiser.state[network.weight]["exp_avg"].tolist() == [pytest.approx([0.1, 0.05, -0.1])]


def test_thresholds_are_percentiles_without_what_equals_them():
    nll = torch.rand(30, 64, generator=torch.Generator().manual_seed(0)) * 9
    for name, level in ("score", 0.98), ("restoration", 0.90):
        expected = np.quantile(nll.numpy(), level, method="inverted_cdf")
        assert thresholds_of(nll)[name].item() == pytest.approx(expected + 1e-3, abs=1e-6)
    equal = thresholds_of(torch.full((30, 64), 2.0))
    assert equal["score"] > 2 + 1e-4  # a whole set of equal NLLs is not above its own percentile


def test_thresholds_are_those_of_the_training_images(detector):
    networks = detector.networks_
    codes = networks["vqvae"].encode(to_unit(make_images(12, seed=1).pixels, torch.device("cpu")))
    for name, expected in thresholds_of(networks["prior"].nll(codes)).items():
        torch.testing.assert_close(detector.tensors_[f"thresholds/{name}"], expected)
    assert detector.loss_curves_.keys() == {"vqvae", "prior"}


@torch.inference_mode()
def test_the_score_sums_improbable_codes(detector, x):
    networks = detector.networks_
    p = networks["prior"](networks["vqvae"].encode(x)).exp()
    for image, codes, score in zip(p, networks["vqvae"].encode(x), detector.analyse(x)[0]["code_nll"], strict=True):
        nll = [-image[codes[i, j], i, j].log().item() for i in range(8) for j in range(8)]
        limit = detector.tensors_["thresholds/score"].item()
        assert score.item() == pytest.approx(sum(v for v in nll if v > limit), rel=1e-4, abs=1e-5)


@torch.inference_mode()
def test_the_map_is_made_of_restorations(detector, x, monkeypatch):
    networks, maps = detector.networks_, detector.analyse(x)[1]
    vqvae_, prior, limit = networks["vqvae"], networks["prior"], detector.tensors_["thresholds/restoration"]
    assert detector.uniform_.shape == (3, 64)
    for n in range(3):
        codes = vqvae_.encode(x[n : n + 1])
        restored = [vqvae_.decode(prior.redraw(codes, limit, u[None])) for u in detector.uniform_]
        expected = smoothed(weighted_residual(x[n : n + 1], torch.stack(restored, 1)))
        torch.testing.assert_close(maps["restoration"][n : n + 1], expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(maps["a_rec"], (x - vqvae_.decode(vqvae_.encode(x))).abs().mean(1), atol=1e-5, rtol=1e-4)
    monkeypatch.setattr(vqvae, "RESTORED_AT_ONCE", 1)
    torch.testing.assert_close(detector.analyse(x)[1]["restoration"], maps["restoration"], atol=1e-5, rtol=1e-5)


def test_restorations_near_the_image_weigh_most():
    x = torch.zeros(1, 2, 4, 4)
    restored = torch.stack([torch.full((1, 2, 4, 4), 0.5), torch.full((1, 2, 4, 4), -1.0)], 1)
    a, b = np.exp(3 / 0.5), np.exp(3 / 1.0)
    expected = (a * 0.5 + b * 1.0) / (a + b)
    np.testing.assert_allclose(weighted_residual(x, restored), np.full((1, 4, 4), expected), rtol=1e-6)
    assert weighted_residual(x, x[:, None]).isfinite().all()


def test_maps_are_smoothed_inside_the_image():
    torch.testing.assert_close(smoothed(torch.full((2, 16, 16), 3.0)), torch.full((2, 16, 16), 3.0))
    maps = torch.zeros(1, 16, 16)
    maps[0, 4, 4] = 1.0
    assert (smoothed(maps) == 0).all()  # a minimum over 3 x 3 removes single pixels
    maps[0, 3:6, 3:6] = 1.0
    expected = torch.zeros(16, 16)
    expected[1:8, 1:8] = 1 / 49  # what is left is one pixel, in the 7 x 7 windows around it
    expected[1:8, 1:3] = expected[1:3, 1:8] = 0.0
    for i, j in np.ndindex(8, 8):
        inside = len(range(max(i - 3, 0), i + 4)) * len(range(max(j - 3, 0), j + 4))
        if max(abs(i - 4), abs(j - 4)) <= 3:
            expected[i, j] = 1 / inside
    torch.testing.assert_close(smoothed(maps)[0], expected)


def test_fewer_restorations_need_no_other_training(detector):
    fewer = make_detector("vqvae", "tiny", device="cpu", restorations=1)
    assert fewer.options.of_training() == detector.options.of_training()


def test_resumed_training_ends_with_the_same_weights(tmp_path):
    images = make_images(12, seed=1)
    detector = make_detector("vqvae", "tiny", device="cpu", steps=4, batch_size=4)
    data = TrainingData((share_pixels(images, tmp_path / "normal.npy"),), (12,), (images.fingerprint,))

    def train(name, stop_after):
        (tmp_path / name).mkdir(exist_ok=True)
        for (spec,) in stages_of(detector, data, tmp_path / name):
            done = [0]
            if stop_after is not None and spec.steps > stop_after:
                with pytest.raises(Interrupted):
                    stop = lambda done=done: done[-1] >= stop_after  # noqa: E731
                    train_in_turns([spec], tmp_path / name, lambda _, steps, done=done: done.append(steps), stop)
            train_in_turns([spec], tmp_path / name, lambda *_: None, lambda: False)

    train("whole", None)
    train("resumed", 2)
    for name in ("vqvae", "prior", "thresholds"):
        one, other = (load_tensors(tmp_path / folder / f"{name}.safetensors")[0] for folder in ("whole", "resumed"))
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
