"""ceVAE's recipe and scores against those of MOOD's baseline."""

import numpy as np
import torch
from helpers import make_images, samples_of
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from medad.detectors.registry import make_detector
from medad.detectors.variational.cevae import CeVAEDetector
from medad.training.pixels import to_unit


def test_recipe():
    options = make_detector("cevae", "paper", device="cpu").options
    assert (options.epochs, options.batch_size, options.lr, options.weight_decay) == (20, 16, 1e-4, 0)
    assert (options.beta1, options.beta2, options.latent, options.kl_weight) == (0.9, 0.999, 128, 0.01)
    assert (options.width, options.smooth, options.noise_runs, options.score) == (16, 8, 2, "elbo")


def test_rows_are_images_corrupted_images_and_noise_for_both():
    torch.manual_seed(0)
    options = make_detector("cevae", "tiny", device="cpu").options
    x = torch.full((60, 1, 64, 64), 0.5)
    clean, corrupted, noise = samples_of(CeVAEDetector, options, x)
    assert torch.equal(clean, x)
    changed = (corrupted != x).flatten(1).any(1)
    assert 0 < changed.sum() < 60
    assert noise.shape == (60, 2, 8)
    assert not torch.equal(noise[:, 0], noise[:, 1])


def test_objective_weighs_the_kl_divergence():
    options = make_detector("cevae", "tiny", device="cpu", kl_weight=1.0).options
    network = CeVAEDetector.make(options)
    rows = samples_of(CeVAEDetector, options, torch.rand(5, 1, 64, 64))
    assert CeVAEDetector.objective(options, network)(*rows) == network.context_loss(*rows, 1.0)


def test_scores():
    detector = make_detector("cevae", "tiny", device="cpu", jobs=1, smooth=0, noise_runs=0, kl_weight=1e3)
    detector.fit(make_images(12, seed=1))
    images, network = make_images(3, seed=3), detector.networks_["cevae"]
    (prediction,) = detector.predict(images)
    for i, x in enumerate(to_unit(images.pixels, torch.device("cpu")).split(1)):
        x = x.requires_grad_()
        mu, log_sigma = network.encoder(x).chunk(2, dim=1)
        out = network.decoder(mu)
        kl = kl_divergence(Normal(mu, log_sigma.exp()), Normal(0, 1)).mean()
        elbo = F.l1_loss(out, x) + 1e3 * kl
        (of_elbo,) = torch.autograd.grad(elbo, x, retain_graph=True)
        (of_kl,) = torch.autograd.grad(kl, x)
        residual = (out - x).detach().square()
        expected = {"elbo": elbo.item(), "kl": kl.item(), "a_rec": residual.mean()}
        expected |= {"grad_elbo": of_elbo.abs().mean(), "combi": (residual * of_kl.abs()).mean()}
        for name, value in expected.items():
            np.testing.assert_allclose(prediction.scores[name][i], value, rtol=1e-3, err_msg=name)
        np.testing.assert_allclose(prediction.maps["grad_elbo"][i], of_elbo[0, 0].abs(), rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(prediction.scores["pred_score"], prediction.scores["elbo"])
    np.testing.assert_array_equal(prediction.maps["anomaly_map"], prediction.maps["a_rec"])
