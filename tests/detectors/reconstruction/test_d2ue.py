"""D2UE against the authors' formulas in plain torch: likeness of codes, losses, and the map."""

from functools import partial

import numpy as np
import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.reconstruction.backbones import make_network
from medad.detectors.reconstruction.d2ue import D2UEOptions, linear_cka, repelled_loss
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.checkpoint import load_networks, load_tensors, network_state
from medad.training.loop import train_in_turns
from medad.training.phase import adam, gradient_step
from medad.training.pixels import to_unit

CPU = torch.device("cpu")
BACKBONES = ("ae", "memae", "aeu")


def cka_of_gram_matrices(a, b):
    centring = torch.eye(len(a), dtype=a.dtype) - 1 / len(a)
    k, m = (centring @ z @ z.T @ centring for z in (a, b))
    return (k * m).sum() / ((k * k).sum().sqrt() * (m * m).sum().sqrt())


def untrained(**options):
    """Return a detector whose learners differ and have the batch statistics of some training."""
    torch.manual_seed(0)
    detector = make_detector("d2ue", "tiny", device="cpu", jobs=1, **options)
    networks = detector.build()
    for layer in (layer for network in networks.values() for layer in network.modules()):
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.running_mean.uniform_(-0.2, 0.2)
            layer.running_var.uniform_(0.1, 2)
    detector.load_state(network_state(networks))
    return detector


def specs(folder, **options):
    np.save(folder / "normal.npy", make_images(12, seed=1).pixels)
    detector = make_detector("d2ue", "tiny", device="cpu", jobs=1, **options)
    return stages_of(detector, TrainingData((folder / "normal.npy",), (12,), ("images",)), folder)


def test_recipe():
    o = make_detector("d2ue", "paper", device="cpu").options
    assert (o.backbone, o.ensemble_size, o.repulsion, o.epochs, o.batch_size) == ("aeu", 3, 1.0, 250, 64)
    assert (o.keep_last, o.lr, o.beta1, o.beta2, o.hidden, o.latent) == (False, 1e-3, 0.5, 0.999, 2048, 16)


@pytest.mark.parametrize(("n", "d", "e"), [(3, 2, 5), (8, 16, 16), (64, 16, 4)])
def test_likeness_is_the_cosine_of_centred_gram_matrices(n, d, e):
    torch.manual_seed(n)
    a, b = 3 + torch.randn(n, d), torch.randn(n, e)
    b[:, 0] += a[:, 0]
    expected = cka_of_gram_matrices(a.double(), b.double())
    assert 0.01 < expected < 0.999
    torch.testing.assert_close(linear_cka(a, b), expected.float(), rtol=1e-5, atol=0)


def test_likeness_knows_no_scale_no_shift_and_no_rotation():
    torch.manual_seed(0)
    a = torch.randn(20, 6)
    turn, _ = torch.linalg.qr(torch.randn(6, 6))
    torch.testing.assert_close(linear_cka(a, 5 * a @ turn + 2), torch.ones(()))
    with torch.autocast("cpu", torch.bfloat16):
        assert abs(linear_cka(a, a @ turn) - 1) < 1e-5


def test_codes_that_are_all_the_same_are_like_nothing():
    a = torch.zeros(5, 3, requires_grad=True)
    likeness = linear_cka(a, torch.randn(5, 3))
    likeness.backward()
    assert likeness == 0
    assert torch.equal(a.grad, torch.zeros(5, 3))


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("earlier", [0, 1, 2])
def test_the_loss_adds_the_mean_likeness(backbone, earlier):
    torch.manual_seed(0)
    options = D2UEOptions(hidden=32)
    network, plain = make_network(backbone, options), make_network(backbone, options)
    plain.load_state_dict(network.state_dict())
    x = to_unit(make_images(6).pixels, CPU)
    codes = [torch.randn(6, 16) for _ in range(earlier)]
    loss = repelled_loss(network, 0.7)(x, *codes)
    expected = plain.loss(x)
    if codes:
        expected = expected + 0.7 * sum(cka_of_gram_matrices(plain.encode(x), z) for z in codes) / earlier
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
    slopes = [torch.autograd.grad(v, n.encoder[0].weight)[0] for v, n in ((loss, network), (expected, plain))]
    torch.testing.assert_close(*slopes, rtol=1e-3, atol=1e-5)


def test_every_learner_has_a_stage_and_knows_the_codes_of_those_before(tmp_path):
    stages = specs(tmp_path, ensemble_size=3)
    assert [[spec.name for spec in stage] for stage in stages] == [["learner_1"], ["learner_2"], ["learner_3"]]
    for (spec,) in stages[:2]:
        train_in_turns([spec], tmp_path, lambda name, done: None, lambda: False)
    x, *codes = stages[2][0].make().draw(torch.arange(12))
    assert len(codes) == 2
    for name, z in zip(("learner_1", "learner_2"), codes, strict=True):
        network = make_network("aeu", make_detector("d2ue", "tiny", device="cpu").options).eval()
        load_networks({name: network}, load_tensors(tmp_path / f"{name}.safetensors")[0])
        assert not z.requires_grad
        torch.testing.assert_close(z, network.encode(x).detach(), rtol=1e-4, atol=1e-5)


def test_learners_are_used_again_where_nothing_they_depend_on_differs(tmp_path):
    two, three, other = (
        [spec.key for (spec,) in specs(tmp_path, **options)]
        for options in ({}, {"ensemble_size": 3}, {"repulsion": 0.5})
    )
    assert three[:2] == two
    assert other[0] == two[0] and other[1] != two[1]


def test_repulsion_makes_codes_unlike():
    x, likeness = to_unit(make_images(12, size=32, seed=1).pixels, CPU), []
    for repulsion in (0.0, 10.0):
        torch.manual_seed(0)
        network = make_network("ae", D2UEOptions(size=32, hidden=32))
        earlier = network.encode(x).detach()
        loss, optimiser = repelled_loss(network, repulsion), adam(network, 1e-3)
        for _ in range(20):
            gradient_step(optimiser, partial(loss, x, earlier), "fp32")
        likeness.append(linear_cka(network.encode(x), earlier))
    assert likeness[1] < 0.5 * likeness[0]


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_map_is_the_authors_of_each_image_alone(backbone, channels):
    detector = untrained(backbone=backbone, channels=channels, ensemble_size=3)
    images = make_images(3, channels=channels)
    (found,) = detector.predict(images)
    for i, x in enumerate(to_unit(images.pixels, CPU).split(1)):
        x = x.requires_grad_()
        u, variances = [], []
        for network in detector.networks_.values():
            mean, log_variance, _ = network(x)
            judged = (mean - x).abs()
            if backbone == "aeu":
                judged = (-log_variance).exp() * (mean - x) ** 2
                variances.append(log_variance.exp())
            slope = torch.autograd.grad(judged.mean(), x)[0]
            u.append((mean - x).abs() * slope)
        spread = torch.stack(u)
        if backbone == "aeu":
            spread = spread / torch.stack(variances).mean(0).sqrt()
        expected = spread.std(0).mean((0, 1)).detach().numpy()
        np.testing.assert_allclose(found.maps["d2ue"][i], expected, rtol=1e-3, atol=1e-3 * expected.max())
        np.testing.assert_allclose(found.scores["d2ue"][i], expected.mean(), rtol=1e-3)
    assert (found.maps["anomaly_map"] == found.maps["d2ue"]).all()
    assert (found.scores["pred_score"] == found.scores["d2ue"]).all()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_learners_that_are_the_same_have_nothing_to_disagree_about(backbone):
    detector, images = untrained(backbone=backbone), make_images(3)
    before = next(detector.predict(images)).maps["d2ue"]
    one = detector.networks_["learner_1"].state_dict()
    state = {f"{name}/{key}": value for name in detector.learners for key, value in one.items()}
    detector.load_state(state)
    assert before.min() >= 0 and before.max() > 0
    assert (next(detector.predict(images)).maps["d2ue"] <= 1e-6 * before.max()).all()


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match="ensemble_size=1: choose a number from 2"):
        make_detector("d2ue", ensemble_size=1)
    with pytest.raises(UserError, match="backbone='resnet': choose from ae, memae, aeu"):
        make_detector("d2ue", backbone="resnet")
