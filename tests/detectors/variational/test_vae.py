"""The VAE's recipe, and its scores against gradients of one image at a time."""

import numpy as np
import pytest
import torch
from helpers import make_images, samples_of
from torch.distributions import Normal, kl_divergence

from medad.detectors.registry import make_detector
from medad.detectors.variational.vae import VAEDetector
from medad.detectors.variational.variational import INPUT_NOISE
from medad.errors import UserError
from medad.networks.filters import gaussian_filter
from medad.training.pixels import to_unit

IMAGES = make_images(4, seed=3)


def fitted(seed: int = 0, **options: object) -> object:
    detector = make_detector("vae", "tiny", seed=seed, device="cpu", jobs=1, **options)
    return detector.fit(make_images(12, channels=detector.options.channels, seed=1))


def rescored(detector: object, **options: object) -> object:
    """Return the same networks with other options of scoring."""
    other = make_detector("vae", "tiny", device="cpu", **options)
    other.load_state({f"vae/{k}": v for k, v in detector.networks_["vae"].state_dict().items()})
    return other


def gradients(network: object, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return rec, KL, and the gradients of both with respect to the image `x`, (1, C, S, S)."""
    x = x.clone().requires_grad_()
    mu, log_variance = network.posterior(x)
    rec = torch.nn.functional.mse_loss(network(x).mean, x)
    kl = kl_divergence(Normal(mu, (log_variance / 2).exp()), Normal(0, 1)).mean()
    (of_rec,) = torch.autograd.grad(rec, x, retain_graph=True)
    (of_kl,) = torch.autograd.grad(kl, x)
    return rec.detach(), kl.detach(), of_rec, of_kl


def test_recipe():
    options = make_detector("vae", "paper", device="cpu").options
    assert (options.epochs, options.batch_size, options.keep_last, options.weight_decay) == (250, 64, True, 0)
    assert (options.lr, options.beta1, options.beta2) == (1e-3, 0.9, 0.999)
    assert (options.hidden, options.latent, options.score) == (1024, 16, "a_rec")
    assert (options.smooth, options.noise_runs, options.sample_at_test) == (0, 0, False)


@pytest.mark.parametrize(
    ("options", "weight"),
    [
        ({}, 0.005),
        ({"size": 128}, 0.00125),
        ({"size": 128, "beta": 2.56}, 0.005),
        ({"size": 256, "beta": 10.24}, 0.005),
        ({"channels": 3, "beta": 1.92}, 0.005),
        ({"latent": 32}, 0.01),
        ({"beta": 1.0}, 2 * 16 / 4096),
    ],
)
def test_beta_is_in_units_of_the_elbo(options, weight):
    kl_weight = make_detector("vae", "paper", device="cpu", **options).options.kl_weight
    assert kl_weight == weight if not options else kl_weight == pytest.approx(weight)


def test_objective_weighs_the_kl_divergence():
    options = make_detector("vae", "tiny", device="cpu", beta=640.0).options
    network = VAEDetector.make(options)
    x, noise = samples_of(VAEDetector, options, torch.rand(5, 1, 64, 64))
    assert noise.shape == (5, 16)
    assert VAEDetector.objective(options, network)(x, noise) == network.negative_elbo(x, noise, 5.0)


@pytest.mark.parametrize("channels", [1, 3])
def test_scores_and_maps(channels):
    weight = 10.0  # a barely trained network has a small KL divergence
    detector = fitted(channels=channels, score="combi", beta=weight * 4096 * channels / 32)
    images = make_images(4, channels=channels, seed=3)
    (prediction,) = detector.predict(images)
    for i, x in enumerate(to_unit(images.pixels, torch.device("cpu")).split(1)):
        network = detector.networks_["vae"]
        rec, kl, of_rec, of_kl = gradients(network, x)
        residual = (x - network(x).mean).detach().square()
        maps = {
            "a_rec": residual,
            "grad_rec": of_rec.abs(),
            "grad_kl": of_kl.abs(),
            "grad_elbo": (of_rec + weight * of_kl).abs(),
            "combi": residual * of_kl.abs(),
        }
        scores = {name: value.mean() for name, value in maps.items()} | {"kl": kl, "elbo": rec + weight * kl}
        assert prediction.scores.keys() == scores.keys() | {"pred_score"}
        for name, value in scores.items():
            np.testing.assert_allclose(prediction.scores[name][i], value, rtol=1e-3, err_msg=name)
        for name, value in maps.items():
            value = value[0].mean(0)
            np.testing.assert_allclose(
                prediction.maps[name][i], value, rtol=1e-3, atol=1e-3 * value.max().item(), err_msg=name
            )
    np.testing.assert_array_equal(prediction.maps["anomaly_map"], prediction.maps["combi"])
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["combi"])


@pytest.mark.parametrize(("score", "shown"), [("kl", "a_rec"), ("elbo", "a_rec"), ("grad_elbo", "grad_elbo")])
def test_a_score_without_a_map_shows_the_residual(score, shown):
    (prediction,) = rescored(fitted(), score=score).predict(IMAGES)
    np.testing.assert_array_equal(prediction.maps["anomaly_map"], prediction.maps[shown])
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores[score])


def test_gradients_do_not_depend_on_the_batch():
    detector = fitted()
    (together,) = detector.predict(IMAGES)
    for i in range(len(IMAGES)):
        (alone,) = detector.predict(IMAGES.subset([i]))
        for name in ("grad_elbo", "grad_rec", "grad_kl", "combi"):
            np.testing.assert_allclose(alone.scores[name][0], together.scores[name][i], rtol=1e-4)


def test_smoothing_is_of_gradient_maps_only():
    plain, smooth = (next(d.predict(IMAGES)).maps for d in (fitted(), rescored(fitted(), smooth=8)))
    np.testing.assert_array_equal(smooth["a_rec"], plain["a_rec"])
    for name in ("grad_elbo", "grad_rec", "grad_kl"):
        expected = gaussian_filter(torch.from_numpy(plain[name])[:, None], 7)[:, 0]
        np.testing.assert_allclose(smooth[name], expected, rtol=1e-4)
    np.testing.assert_allclose(smooth["combi"], plain["a_rec"] * smooth["grad_kl"], rtol=1e-4)


def test_noise_runs_average_absolute_gradients_around_the_image():
    detector = rescored(fitted(), noise_runs=2)
    (prediction,) = detector.predict(IMAGES)
    (again,) = detector.predict(IMAGES)
    np.testing.assert_array_equal(prediction.maps["grad_kl"], again.maps["grad_kl"])
    noises = [detector._noise(f"input {i}", torch.empty(1, 1, 64, 64)) for i in range(2)]
    assert all(abs(noise.std() - 1) < 0.05 for noise in noises)
    assert not torch.equal(*noises)
    for i, x in enumerate(to_unit(IMAGES.pixels, torch.device("cpu")).split(1)):
        runs = [gradients(detector.networks_["vae"], x + INPUT_NOISE * noise) for noise in noises]
        expected = torch.stack([run[3].abs() for run in runs]).mean()
        np.testing.assert_allclose(prediction.scores["grad_kl"][i], expected, rtol=1e-3)
    np.testing.assert_allclose(prediction.scores["a_rec"], next(fitted().predict(IMAGES)).scores["a_rec"], rtol=1e-5)


def test_sampling_at_test_is_the_same_for_every_image_and_call():
    network = fitted()
    detector = rescored(network, sample_at_test=True)
    twins = IMAGES.subset([0, 1, 0])
    scores = next(detector.predict(twins)).scores["a_rec"]
    np.testing.assert_allclose(scores[0], scores[2], rtol=1e-6)
    np.testing.assert_array_equal(scores, next(detector.predict(twins)).scores["a_rec"])
    assert (scores != next(network.predict(twins)).scores["a_rec"]).all()
    other = rescored(network, sample_at_test=True)
    other.seed = 1
    assert (scores != next(other.predict(twins)).scores["a_rec"]).all()


def test_scoring_options_leave_the_weights_alone():
    trained = make_detector("vae", device="cpu").options.of_training()
    scoring = {"score": "kl", "smooth": 5, "noise_runs": 3, "sample_at_test": True}
    assert make_detector("vae", device="cpu", **scoring).options.of_training() == trained


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "rec"}, "score='rec': choose from a_rec, kl, elbo"),
        ({"smooth": -1}, "smooth=-1: choose a number from 0"),
        ({"noise_runs": -1}, "noise_runs=-1"),
        ({"beta": -0.1}, "beta=-0.1"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        make_detector("vae", device="cpu", **options)
