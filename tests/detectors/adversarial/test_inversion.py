"""The search for codes against plain loops."""

import pytest
import torch
from torch import nn

from medad.detectors.adversarial.inversion import (
    SearchOptions,
    anogan_residual,
    invert,
    residual_scores,
    starting_points,
)
from medad.detectors.contract.groups import GROUP_PIXELS


@pytest.fixture
def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4))).requires_grad_(False)
    features = nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.ReLU()).requires_grad_(False)
    return generator, features


def found_by_hand(x, generator, features, start, steps, weight):
    """Search for one image with rates 0.01, 0.001 from two fifths and 0.0005 from three fifths of the steps."""
    z = start.clone()[None].requires_grad_()
    optimiser = torch.optim.Adam([z], lr=0.01)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.01 if step < 0.4 * steps else 0.001 if step < 0.6 * steps else 0.0005
        x_hat = generator(z)
        loss = (1 - weight) * (x - x_hat).abs().sum() + weight * (features(x) - features(x_hat)).abs().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return generator(z).detach()


@pytest.mark.parametrize("steps", [1, 10, 500])
def test_the_search_is_the_plain_loop_for_every_image(networks, steps):
    x, start = torch.rand(2, 1, 4, 4), torch.randn(1, 3)
    with torch.inference_mode():
        found = invert(x.clone(), *networks, start.clone(), steps, 0.1)
    # At the kinks of absolute values rounding, which depends on the CPU, decides about whole steps of the last rate.
    tolerance = {"atol": 1e-3, "rtol": 0} if steps == 500 else {}
    for i in range(2):
        expected = found_by_hand(x[i : i + 1], *networks, start[0], steps, 0.1)
        torch.testing.assert_close(found[i : i + 1], expected, **tolerance)


def test_five_hundred_steps_have_the_published_rates(networks, monkeypatch):
    rates = []
    monkeypatch.setattr("medad.detectors.adversarial.inversion.set_lr", lambda _, lr: rates.append(lr))
    invert(torch.zeros(1, 1, 4, 4), *networks, torch.zeros(1, 3), 500, 0.1)
    assert rates == [0.01] * 200 + [0.001] * 100 + [0.0005] * 200


def test_a_generated_image_is_found(networks):
    generator, features = networks
    x = generator(torch.tensor([[0.5, -0.3, 0.2]]))
    found = invert(x, generator, features, torch.zeros(1, 3), 500, 0.1)
    assert (found - x).abs().max() < 1e-2


def test_the_best_start_counts(networks):
    generator, features = networks
    x = generator(torch.tensor([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]))
    starts = torch.tensor([[0.9, 0.9, 0.9], [-0.9, -0.9, -0.9]])
    found = invert(x, generator, features, starts, 20, 0.1)
    for i, start in enumerate(starts):
        torch.testing.assert_close(found[i], invert(x, generator, features, start[None], 20, 0.1)[i])


def test_companions_change_no_bit(networks):
    """Of a search in groups of a fixed number: roundings depend on the shape of a batch, and searches on roundings."""
    shapes = []
    generator, features = networks
    generator.register_forward_hook(lambda _, z, x_hat: shapes.append(tuple(x_hat.shape)))
    x, start = torch.rand(7, 1, 4, 4), torch.zeros(1, 3)
    together = invert(x, generator, features, start, 50, 0.1)
    for i in (0, 6):
        assert torch.equal(together[i : i + 1], invert(x[i : i + 1], generator, features, start, 50, 0.1))
    assert set(shapes) == {(8 * 64**2 // 4**2, 1, 4, 4)}


def test_more_images_than_a_group(networks, monkeypatch):
    monkeypatch.setitem(GROUP_PIXELS, "cpu", 2 * 16)
    x, start = torch.rand(5, 1, 4, 4), torch.zeros(1, 3)
    found = invert(x, *networks, start, 5, 0.1)
    assert found.shape == x.shape
    torch.testing.assert_close(found[4:], invert(x[4:], *networks, start, 5, 0.1))


def test_starting_points_come_from_the_seed():
    options, cpu = SearchOptions(restarts=3), torch.device("cpu")
    points = starting_points(options, 50, 0, cpu)
    assert points.shape == (3, 50)
    assert torch.equal(points, starting_points(options, 50, 0, cpu))
    assert not torch.equal(points, starting_points(options, 50, 1, cpu))
    torch.manual_seed(5)
    assert torch.equal(points, starting_points(options, 50, 0, cpu))


def test_residuals_by_hand():
    x, x_hat = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    x_hat[0, 0, 0, 0], x_hat[0, 1, 0, 0] = 3.0, -6.0
    f, f_hat = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    assert anogan_residual(x, x_hat, f, f_hat, 0.1).item() == pytest.approx(0.9 * 9 + 0.1 * 3)
    scores, maps = residual_scores(x, x_hat, f, f_hat, 0.1)
    assert scores["pred_score"].item() == pytest.approx(8.4)
    assert scores["a_rec"].item() == pytest.approx(9 / 12)
    assert scores["feature_residual"].item() == pytest.approx(1.5)
    assert maps["anomaly_map"][0].tolist() == [[3.0, 0.0], [0.0, 0.0]]
