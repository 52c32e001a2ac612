"""AE's option `loss`: what is trained on and what is shown, against the errors themselves."""

from dataclasses import asdict

import pytest
import torch
from helpers import make_images, stages_of
from torch.nn import functional as F

from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.networks.pixel_errors import PIXEL_ERRORS
from medad.networks.ssim import ssim_map
from medad.networks.vgg import VGG19
from medad.training.pixels import to_unit

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A file of random weights."""
    torch.manual_seed(0)
    weights = {name: torch.randn_like(w) * (2 / w[0].numel()) ** 0.5 for name, w in VGG19().state_dict().items()}
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.save(weights, path)
    return path


def fitted(loss, vgg, **settings):
    options = {"size": 32, "loss": loss, "vgg_weights": str(vgg) if loss == "perceptual" else ""}
    detector = make_detector("ae", "tiny", device="cpu", jobs=1, **options, **settings)
    return detector.fit(make_images(6, 32, seed=1))


def by_hand(loss, x, y, vgg):
    """Return the mean error of each image at its own resolution, and the map."""
    if loss in ("l2", "l1"):
        error = (x - y) ** 2 if loss == "l2" else abs(x - y)
        return error.mean((1, 2, 3)), error.mean(1)
    if loss == "ssim":
        error = 1 - ssim_map(*(((t + 1) / 2).clip(0, 1) for t in (x, y)))
    else:
        network = VGG19()
        network.load_state_dict(torch.load(vgg, weights_only=True))
        mean, deviation = (torch.tensor(t).view(3, 1, 1) for t in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        a, b = (network(((t + 1) / 2 - mean) / deviation) for t in (x, y))
        error = abs(a - b) / a.mean((1, 2, 3), keepdim=True)  # after a ReLU nothing is negative
    whole = F.interpolate(error.mean(1, keepdim=True), (32, 32), mode="bilinear", align_corners=False)
    return error.mean((1, 2, 3)), whole[:, 0]


@pytest.mark.parametrize("loss", PIXEL_ERRORS)
def test_loss_map_and_score_are_the_error(loss, vgg):
    images, detector = make_images(3, 32, seed=2), fitted(loss, vgg)
    x, network = to_unit(images.pixels, CPU), detector.networks_["ae"]  # its weights take no gradients any more
    means, expected = by_hand(loss, x, network(x).mean, vgg)
    (found,) = detector.predict(images)
    torch.testing.assert_close(torch.from_numpy(found.maps["anomaly_map"]), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        torch.from_numpy(found.scores["pred_score"]), expected.mean((1, 2)).double(), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(detector.objective(detector.options, network)(x), means.mean())


@pytest.mark.parametrize("loss", PIXEL_ERRORS)
def test_what_is_trained_on_falls(loss, vgg):
    detector = fitted(loss, vgg, steps=6, lr=0.01)
    curve = detector.loss_curves_["ae"]
    assert curve[-1] < curve[0]


def test_the_default_is_the_network_s_own_loss():
    detector = make_detector("ae", "tiny", device="cpu")
    network = detector.build()["ae"].eval()
    x = to_unit(make_images(3).pixels, CPU)
    assert torch.equal(detector.objective(detector.options, network)(x), network.loss(x))
    assert not [name for name in network.state_dict() if name.startswith("error")]


@pytest.mark.parametrize("loss", ["ssim", "perceptual"])
def test_bf16_trains(loss, vgg):
    assert torch.tensor(fitted(loss, vgg, precision="bf16").loss_curves_["ae"]).isfinite().all()


def test_a_fitted_detector_needs_the_file_no_more(vgg, tmp_path):
    copy, images = tmp_path / "copy.pth", make_images(2, 32, seed=3)
    copy.write_bytes(vgg.read_bytes())
    detector = fitted("perceptual", copy)
    detector.save(tmp_path / "run")
    copy.unlink()
    (before,), (after,) = (d.predict(images) for d in (detector, load_detector(tmp_path / "run", device="cpu")))
    assert (before.maps["anomaly_map"] == after.maps["anomaly_map"]).all()


def test_the_phase_is_known_by_what_the_file_holds(vgg, tmp_path):
    def key(path):
        detector = make_detector("ae", "tiny", device="cpu", loss="perceptual", vgg_weights=str(path))
        ((spec,),) = stages_of(detector, TrainingData((tmp_path / "x.npy",), (9,), ("digest",)), tmp_path)
        return spec.key

    copy, other = tmp_path / "copy.pth", tmp_path / "other.pth"
    copy.write_bytes(vgg.read_bytes())
    weights = torch.load(vgg, weights_only=True)
    torch.save(weights | {"features.0.bias": torch.ones(64)}, other)
    assert key(vgg) == key(copy) != key(other)


def test_other_losses_do_not_look_at_the_file():
    options = make_detector("ae", "tiny", device="cpu", vgg_weights="nowhere.pth").options
    assert options.of_training() == {k: v for k, v in asdict(options).items() if k not in options.scoring}
    assert "vgg_weights" in options.scoring


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match="loss='huber': choose from l2, l1, ssim, perceptual"):
        make_detector("ae", device="cpu", loss="huber")
    with pytest.raises(UserError, match="loss='perceptual': name a file .* option vgg_weights"):
        make_detector("ae", device="cpu", loss="perceptual")
    with pytest.raises(UserError, match=r"nowhere\.pth: not a readable file of weights"):
        fitted("perceptual", tmp_path / "nowhere.pth")
