"""The DAE's two forms: recipes, rows, schedule and scores."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import make_images, samples_of, stages_of
from scipy import ndimage
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR

from medad.detectors.contract.plan import TrainingData
from medad.detectors.reconstruction.dae import DAEDetector
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.checkpoint import network_state
from medad.training.pixels import to_unit
from medad.training.spec import Recipe


def options_of(**options: object) -> object:
    return make_detector("dae", "paper", device="cpu", **options).options


def ball(count: int = 40) -> torch.Tensor:
    """Return images with a bright disc on an almost even background, in [-1, 1]."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    disc = torch.from_numpy(x**2 + y**2 < 0.5)
    return torch.where(disc, 0.5, -1 + 0.004 * (torch.arange(64) % 2)).float().expand(count, 1, 64, 64)


def test_recipes():
    o = options_of()
    assert (o.form, o.width, o.depth, o.batch_size, o.lr, o.weight_decay) == ("kascenas", 64, 4, 16, 1e-4, 1e-5)
    assert (o.amsgrad, o.anneal, o.recipe(10_000).total_steps) == (True, 100, 2100 * 32)
    assert (o.unit_range, o.foreground, o.masked_loss, o.score) == (True, 0.01, True, "a_rec_filtered")
    assert o.recipe(1000).steps_per_epoch == 62
    o = options_of(form="medianomaly")
    assert (o.form, o.width, o.depth, o.batch_size, o.lr, o.weight_decay) == ("medianomaly", 64, 5, 16, 1e-3, 0)
    assert (o.amsgrad, o.anneal, o.recipe(1000).total_steps) == (False, 0, 250 * 63)
    assert (o.unit_range, o.foreground, o.masked_loss, o.score) == (False, 0.0, False, "a_rec")
    assert options_of(steps=7).recipe(1000).total_steps == 7


def test_learning_rate_is_pytorchs_cosine_annealing():
    options = options_of()
    ours, theirs = (SGD([torch.zeros(1, requires_grad=True)], lr=1e-4) for _ in range(2))
    before_step = DAEDetector.schedule(options, ours, options.recipe(1000))
    scheduler = CosineAnnealingLR(theirs, T_max=100)
    for epoch in range(350):
        for number in (32 * epoch, 32 * epoch + 31):
            before_step(number)
            assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-12)
        theirs.step()
        scheduler.step()
    assert DAEDetector.schedule(options_of(anneal=0), ours, options.recipe(1000)) is None


def test_an_epoch_may_be_a_pass_over_the_images():
    optimiser = SGD([torch.zeros(1, requires_grad=True)], lr=1e-4)
    options = options_of(epoch_steps=None, anneal=2)
    before_step = DAEDetector.schedule(options, optimiser, Recipe(160, 16, 4))
    for number, lr in ((9, 1e-4), (10, 0.5e-4), (19, 0.5e-4), (20, 0), (40, 1e-4)):
        before_step(number)
        assert optimiser.param_groups[0]["lr"] == pytest.approx(lr, abs=1e-12)


def test_training_follows_the_schedule():
    """With one epoch to zero and one step an epoch, every second step stands still."""
    weights = []
    for steps in (1, 2, 3):
        detector = make_detector("dae", "tiny", device="cpu", jobs=1, anneal=1, epoch_steps=1, steps=steps)
        weights.append(network_state(detector.fit(make_images(12, seed=1)).networks_)["dae/last.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])


@pytest.mark.parametrize(("form", "amsgrad", "decay"), [("kascenas", True, 1e-5), ("medianomaly", False, 0)])
def test_optimiser(form, amsgrad, decay, tmp_path):
    np.save(tmp_path / "images.npy", make_images(4).pixels)
    data = TrainingData((tmp_path / "images.npy",), (4,), ("digest",))
    ((spec,),) = stages_of(make_detector("dae", "paper", device="cpu", width=4, form=form), data, tmp_path)
    (group,) = spec.make().optimisers["dae"].param_groups
    assert (group["amsgrad"], group["weight_decay"], group["betas"]) == (amsgrad, decay, (0.9, 0.999))


def test_noise_stays_in_the_foreground_on_the_authors_scale():
    x = ball()
    inside = x[0, 0] == 0.5
    torch.manual_seed(0)
    clean, noisy, counts = samples_of(DAEDetector, options_of(), x)
    torch.testing.assert_close(clean, (x + 1) / 2)
    noise = noisy - clean
    assert torch.equal(counts[:, 0].bool(), inside.expand(40, 64, 64))
    assert not noise[..., ~inside].any()
    assert 0.1 < noise[..., inside].std() < 0.2  # 0.2 on the grid, less between its points
    torch.manual_seed(0)
    other = samples_of(DAEDetector, options_of(form="medianomaly"), x)
    torch.testing.assert_close(other[0], x)
    torch.testing.assert_close((other[1] - x)[..., inside], 2 * noise[..., inside])
    assert other[2].all()
    torch.manual_seed(0)
    compatible = samples_of(DAEDetector, options_of(form="medianomaly", medianomaly_compat=True), x)
    torch.testing.assert_close(compatible[1], other[1] - 1)
    everywhere = samples_of(DAEDetector, options_of(foreground=None), x)
    assert everywhere[2].all()
    assert (everywhere[1] - everywhere[0])[..., ~inside].any()


def test_loss_is_zero_in_the_background():
    double = torch.nn.Upsample(scale_factor=1)
    clean, noisy = torch.rand(2, 3, 1, 8, 8)
    counts = torch.rand(3, 1, 8, 8) < 0.5
    loss = DAEDetector.objective(options_of(), double)(clean, noisy, counts)
    assert loss == pytest.approx(((noisy - clean)[counts] ** 2).sum() / clean.numel())


@pytest.mark.parametrize("channels", [1, 3])
def test_scores_of_the_authors(channels):
    """Group norm of a narrow network magnifies the rounding, which depends on the threads: hence the tolerances."""
    detector = make_detector("dae", "tiny", device="cpu", jobs=1, channels=channels)
    detector.fit(make_images(12, channels=channels, seed=1))
    images = make_images(3, channels=channels, seed=3)
    images = replace(images, pixels=images.pixels // 8 * 8)  # a background that is zero
    (prediction,) = detector.predict(images)
    with torch.no_grad():
        x = (to_unit(images.pixels, torch.device("cpu")) + 1) / 2
        error = (x - detector.networks_["dae"](x)).numpy()
    bright = images.pixels.max(1) > images.pixels.min((1, 2, 3)).reshape(-1, 1, 1)
    assert 0 < bright.mean() < 1
    inside = ndimage.uniform_filter(bright.astype(float), (1, 5, 5), mode="constant") > 0.95
    expected = ndimage.median_filter(np.abs(error).mean(1) * inside, (1, 5, 5), mode="mirror")
    np.testing.assert_allclose(prediction.maps["a_rec_filtered"], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(prediction.maps["anomaly_map"], prediction.maps["a_rec_filtered"])
    np.testing.assert_allclose(prediction.scores["pred_score"], expected.mean((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(prediction.maps["a_rec"], (error**2).mean(1), rtol=1e-3, atol=1e-4)


def test_score_of_medianomaly():
    detector = make_detector("dae", "tiny", device="cpu", jobs=1, form="medianomaly")
    (prediction,) = detector.fit(make_images(12, seed=1)).predict(make_images(3, seed=3))
    with torch.no_grad():
        x = to_unit(make_images(3, seed=3).pixels, torch.device("cpu"))
        error = (x - detector.networks_["dae"](x)).square()
    np.testing.assert_allclose(prediction.maps["anomaly_map"], error[:, 0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(prediction.scores["pred_score"], error.mean((1, 2, 3)), rtol=1e-4)


def test_without_a_foreground_the_border_is_scored_too():
    detector = make_detector("dae", "tiny", device="cpu", jobs=1, foreground=None)
    (prediction,) = detector.fit(make_images(12, seed=1)).predict(make_images(3, seed=3))
    assert (prediction.maps["a_rec_filtered"] > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "depth=0: at size 64 choose a number from 1 to 6"),
        ({"depth": 7}, "depth=7: at size 64"),
        ({"depth": 6, "size": 48}, "depth=6: at size 48 choose a number from 1 to 5"),
        ({"score": "rec"}, "score='rec': choose from a_rec_filtered, a_rec"),
        ({"form": "ddad"}, "form='ddad': choose from kascenas, medianomaly"),
        ({"foreground": 2}, "foreground=2.0"),
        ({"epoch_steps": 0}, "epoch_steps=0"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        make_detector("dae", "paper", device="cpu", **options)
