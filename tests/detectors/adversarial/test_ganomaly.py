"""GANomaly: recipes, losses and scores by hand, one step in plain torch, the discriminator's second start."""

import copy
from functools import partial

import pytest
import torch
from gan_runs import assert_nearly_same_weights, assert_same_weights, train, training_data
from helpers import make_images, stages_of
from torch import nn
from torch.nn import functional as F

from medad.detectors.adversarial import ganomaly
from medad.detectors.adversarial.ganomaly import GANomaly, discriminator_loss, generator_loss, make_networks, restarting
from medad.detectors.contract import plan
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.pixels import ResidentPixels, to_unit
from tests.training.machine.test_recorded import NoLooks

FORMS = ("official", "medianomaly")


def detector(form: str = "official", **options: object) -> GANomaly:
    return make_detector("ganomaly", "tiny", device="cpu", jobs=1, form=form, **options)


def test_recipes():
    official = make_detector("ganomaly", "paper", device="cpu").options
    assert (official.form, official.lr, official.beta1, official.beta2) == ("official", 2e-4, 0.5, 0.999)
    assert (official.width, official.latent, official.batch_size, official.epochs) == (64, 100, 64, 15)
    other = make_detector("ganomaly", "paper", device="cpu", form="medianomaly").options
    assert (other.lr, other.beta1, other.beta2, other.epochs) == (1e-3, 0.9, 0.999, 250)
    assert (other.width, other.hidden, other.latent, other.keep_last) == (16, 1024, 16, True)


@pytest.mark.parametrize("form", FORMS)
def test_losses(form):
    generator, discriminator = make_networks(detector(form).options)
    generator.eval(), discriminator.eval()
    x = torch.rand(4, 1, 64, 64) * 2 - 1
    out = generator(x)
    features = [discriminator.features(images) for images in (x, out.mean)]
    image = (x - out.mean).square().mean() if form == "medianomaly" else (x - out.mean).abs().mean()
    expected = (features[0] - features[1]).square().mean() + 50 * image + (out.z - out.z_hat).square().mean()
    torch.testing.assert_close(generator_loss(form, discriminator, x, out), expected)
    real, fake = (discriminator.classifier(f).sigmoid().flatten() for f in features)
    expected = (F.binary_cross_entropy(real, torch.ones(4)) + F.binary_cross_entropy(fake, torch.zeros(4))) / 2
    torch.testing.assert_close(discriminator_loss(discriminator, x, out.mean.detach()), expected)


def reference_step(form: str, options: ganomaly.GANomalyOptions, networks: dict[str, nn.Module], x: torch.Tensor):
    """Make the official code's step with other means."""
    generator, discriminator = networks.values()
    betas = (options.beta1, options.beta2)
    for_g, for_d = (torch.optim.Adam(net.parameters(), lr=options.lr, betas=betas) for net in networks.values())
    fake, z, z_hat = generator(x)
    image = F.mse_loss(fake, x) if form == "medianomaly" else F.l1_loss(fake, x)
    features = F.mse_loss(discriminator.features(x), discriminator.features(fake))
    (features + 50 * image + F.mse_loss(z, z_hat)).backward()
    for_d.zero_grad()
    loss = F.binary_cross_entropy(discriminator(x).sigmoid(), torch.ones(len(x)))
    (0.5 * (loss + F.binary_cross_entropy(discriminator(fake.detach()).sigmoid(), torch.zeros(len(x))))).backward()
    for_g.step()
    for_d.step()


@pytest.mark.parametrize("form", FORMS)
def test_a_step_is_that_of_the_official_code(tmp_path, form):
    (spec,) = stages_of(detector(form), training_data(tmp_path), tmp_path)[0]
    phase = spec.make()
    networks = copy.deepcopy(phase.networks)
    networks["discriminator"].loss_sum.fill_(0)
    (x,) = phase.draw(torch.arange(8))
    phase.schedule(0)
    phase.step((x,))
    reference_step(form, detector(form).options, networks, x)
    phase.networks["discriminator"].loss_sum.fill_(0)
    assert_nearly_same_weights(phase.networks, networks)


def test_only_a_discriminator_that_has_won_begins_again():
    _, discriminator = make_networks(detector().options)
    first = copy.deepcopy(discriminator.state_dict())
    schedule, look = restarting(discriminator, 1)
    for loss, again in ((0.7, False), (2e-5, False), (9e-6, True)):
        with torch.no_grad():
            for weight in discriminator.parameters():
                weight.add_(1)
        schedule(0)
        look(torch.tensor(loss))
        same = [torch.equal(weight, first[name]) for name, weight in discriminator.named_parameters()]
        assert all(same) if again else not any(same)
        assert discriminator.loss_sum == 0


def test_medianomaly_looks_at_the_mean_of_an_epoch():
    _, discriminator = make_networks(detector("medianomaly").options)
    weight = next(discriminator.parameters())
    first = weight.detach().clone()
    schedule, look = restarting(discriminator, 3)
    again = []
    for number, loss in enumerate([1e-6, 1e-6, 1e-6, 0, 0, 1, 2e-5, 3e-6, 3e-6]):
        with torch.no_grad():
            weight.add_(1)
        schedule(number)
        look(torch.tensor(float(loss)))
        again.append(torch.equal(weight, first))
    assert again == [False, False, True, False, False, False, False, False, True]


@pytest.mark.parametrize(("form", "every"), [("official", 1), ("medianomaly", 3)])
def test_how_often_the_forms_look(tmp_path, monkeypatch, form, every):
    seen = []
    monkeypatch.setattr(ganomaly, "restarting", lambda _, n: (seen.append(n), restarting(_, n))[1])
    (spec,) = stages_of(detector(form, batch_size=4), training_data(tmp_path), tmp_path)[0]
    spec.make()
    assert seen == [every]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_preparing_and_stepping_never_wait_for_the_device(tmp_path, monkeypatch, precision):
    monkeypatch.setattr(plan, "open_pixels", ResidentPixels)
    for form in FORMS:
        one = make_detector("ganomaly", "tiny", device="cpu", precision=precision, form=form)
        (spec,) = stages_of(one, training_data(tmp_path), tmp_path)[0]
        phase = spec.make()
        for number in range(3):
            phase.schedule(number)
            with NoLooks():
                rows = phase.draw(torch.arange(4))
                state = torch.get_rng_state()
                loss = phase.step(rows)
            assert loss.isfinite()
            assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("form", "vanished"),
    [
        ("official", 0.69),  # the discriminator begins again now and then
        ("medianomaly", 0.3),  # it would, had the steps of an epoch before the stop been forgotten
    ],
)
def test_a_stopped_training_ends_as_one_that_was_left_alone(tmp_path, monkeypatch, form, vanished):
    monkeypatch.setattr(ganomaly, "VANISHED", vanished)
    make = partial(detector, form, batch_size=4, steps=7)
    assert_same_weights(train(make(), tmp_path / "a"), train(make(), tmp_path / "b", stops=(2, 4)))


@pytest.mark.parametrize("bn_mode", ["eval", "batch"])
def test_scores_are_those_of_the_networks(bn_mode):
    fitted = detector(bn_mode=bn_mode).fit(make_images(12, seed=1))
    images = make_images(3, seed=2)
    (prediction,) = fitted.predict(images)
    generator = fitted.networks_["generator"].train(bn_mode == "batch")
    for i, x in enumerate(to_unit(images.pixels, torch.device("cpu"))):
        with torch.no_grad():
            out = generator(x[None])
        latent, residual = (out.z - out.z_hat).square().mean(), (x - out.mean[0]).square().mean(0)
        assert prediction.scores["pred_score"][i] == pytest.approx(latent.item(), rel=1e-3)
        assert prediction.scores["latent"][i] == prediction.scores["pred_score"][i]
        assert prediction.scores["a_rec"][i] == pytest.approx(residual.mean().item(), rel=1e-4)
        torch.testing.assert_close(torch.from_numpy(prediction.maps["anomaly_map"][i]), residual, rtol=1e-3, atol=1e-4)


def test_the_mode_of_batch_norm_needs_no_other_weights():
    fitted = [detector(bn_mode=mode).fit(make_images(12, seed=1)) for mode in ("eval", "batch")]
    a, b = ({k: v for k, v in f.networks_["generator"].state_dict().items()} for f in fitted)
    assert_same_weights(a, b)
    assert "bn_mode" not in fitted[0].options.of_training()
    scores = [next(f.predict(make_images(3, seed=2))).scores["latent"] for f in fitted]
    assert (scores[0] != scores[1]).all()


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match=r"bn_mode='train': choose from eval, batch"):
        detector(bn_mode="train")
    with pytest.raises(UserError, match=r"width=24: form medianomaly takes multiples of 16"):
        detector("medianomaly", width=24)
    with pytest.raises(UserError, match="form='ddad': choose from official, medianomaly"):
        detector("ddad")
