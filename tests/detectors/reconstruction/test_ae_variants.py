"""The variants of AE against the spec's numbers and a few lines of plain torch (sections 1.3, 4.2, 4.3, 4.5)."""

import numpy as np
import pytest
import torch
from helpers import make_images, samples_of
from torch.nn import functional as F

from medad.detectors.registry import make_detector
from medad.networks.autoencoder import AE
from medad.training.checkpoint import network_state
from medad.training.pixels import to_unit

CPU = torch.device("cpu")
VARIANTS = ("ae_spatial", "ae_grad", "constrained_ae", "ceae")


def untrained(method, **options):
    """Return a detector with the batch statistics of some training, and its network."""
    torch.manual_seed(0)
    detector = make_detector(method, "tiny", device="cpu", jobs=1, **options)
    networks = detector.build()
    for layer in networks[method].modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.running_mean.uniform_(-0.2, 0.2)
            layer.running_var.uniform_(0.1, 2)
    detector.load_state(network_state(networks))
    return detector, detector.networks_[method]


# AE's 2,351,184; with 1 x 1 convolutions 214,080 outside and 2 (64 1024 + 1024 16 + 2 1024) between
@pytest.mark.parametrize(
    ("method", "count"), [("ae_spatial", 382_016), *((method, 2_351_184) for method in VARIANTS[1:])]
)
def test_parameter_counts_and_recipe(method, count):
    detector = make_detector(method, "paper", device="cpu")
    assert sum(p.numel() for p in detector.build()[method].parameters()) == count
    o = detector.options
    assert (o.epochs, o.batch_size, o.keep_last, o.lr, o.beta1, o.beta2) == (250, 64, True, 1e-3, 0.9, 0.999)
    assert (o.hidden, o.latent, o.weight_decay) == (1024, 16, 0.0)


@pytest.mark.parametrize(("size", "side"), [(64, 4), (128, 8), (256, 8)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_spatial_code_has_a_place_for_every_place(size, side, channels):
    _, network = untrained("ae_spatial", size=size, channels=channels)
    x = torch.rand(2, channels, size, size)
    assert network.encode(x).shape == (2, 16, side, side)
    assert network(x).mean.shape == x.shape


def test_the_spatial_bottleneck_sees_one_position_at_a_time():
    _, network = untrained("ae_spatial")
    maps, z = torch.rand(2, 64, 4, 4), torch.rand(2, 16, 4, 4)
    for layers, t in ((network.linear_enc, maps), (network.linear_dec, z)):
        first, norm, _, last = layers
        assert first.bias is None
        assert last.bias is None
        hidden = norm((t.movedim(1, -1) @ first.weight[:, :, 0, 0].T).movedim(-1, 1)).relu()
        torch.testing.assert_close(layers(t), (hidden.movedim(1, -1) @ last.weight[:, :, 0, 0].T).movedim(-1, 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_gradient_map_is_that_of_each_image_alone(channels):
    detector, network = untrained("ae_grad", channels=channels)
    images = make_images(3, channels=channels)
    (found,) = detector.predict(images)
    for i, x in enumerate(to_unit(images.pixels, CPU).split(1)):
        x = x.requires_grad_()
        error = F.mse_loss(network(x).mean, x)
        error.backward()
        expected = x.grad.abs().mean((0, 1)).numpy()
        np.testing.assert_allclose(found.maps["a_grad"][i], expected, rtol=1e-3, atol=1e-3 * expected.max())
        np.testing.assert_allclose(found.scores["a_grad"][i], expected.mean(), rtol=1e-4)
        np.testing.assert_allclose(found.scores["a_rec"][i], error.item(), rtol=1e-5)
    assert (found.maps["anomaly_map"] == found.maps["a_grad"]).all()
    assert (found.scores["pred_score"] == found.scores["a_grad"]).all()


def test_the_constrained_loss_adds_the_distance_of_codes():
    detector, network = untrained("constrained_ae", rho=0.3)
    plain = AE(hidden=32).eval()
    plain.load_state_dict(network.state_dict())
    plain.requires_grad_(True)
    x = to_unit(make_images(4).pixels, CPU)
    z = plain.encode(x)
    expected = F.mse_loss(plain.decode(z), x) + 0.3 * F.mse_loss(plain.encode(plain.decode(z)), z)
    network.requires_grad_(True)
    loss = detector.objective(detector.options, network)(x)
    torch.testing.assert_close(loss, expected)
    weights = (list(network.parameters()), list(plain.parameters()))
    for one, other in zip(*(torch.autograd.grad(*a) for a in zip((loss, expected), weights, strict=True)), strict=True):
        torch.testing.assert_close(one, other)  # nothing is detached


def test_the_constrained_encoder_sees_images_and_reconstructions():
    images = make_images(8)
    network = make_detector("constrained_ae", "tiny", device="cpu", jobs=1, steps=3).fit(images).networks_
    state = network["constrained_ae"].state_dict()
    assert state["encoder.1.num_batches_tracked"] == 6
    assert state["decoder.1.num_batches_tracked"] == 3


def test_ceae_learns_the_whole_image_from_one_with_a_hole():
    detector, network = untrained("ceae")
    x = to_unit(make_images(5).pixels, CPU) * 0.5  # nothing is black but the holes
    holed, whole = samples_of(detector, detector.options, x)
    assert torch.equal(whole, x)
    assert ((holed == -1).sum((1, 2, 3)) == 100).all()
    loss = detector.objective(detector.options, network)(holed, whole)
    torch.testing.assert_close(loss, F.mse_loss(network(holed).mean, x))


@pytest.mark.parametrize("method", ["ae_spatial", "constrained_ae", "ceae"])
def test_scores_are_of_the_image_as_it_is(method):
    detector, network = untrained(method)
    images = make_images(3)
    x = to_unit(images.pixels, CPU)
    expected = F.mse_loss(network(x).mean, x, reduction="none").mean(1).numpy()
    (found,) = detector.predict(images)
    np.testing.assert_allclose(found.maps["anomaly_map"], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.scores["pred_score"], expected.mean((1, 2)), rtol=1e-5)
