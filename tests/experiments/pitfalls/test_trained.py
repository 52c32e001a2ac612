"""Experiment 3: the networks, their training, and what is found beside their reconstructions."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torch import nn

from medad.cli.commands import main
from medad.experiments.reproduce.pitfalls import experiments, models, trained
from medad.experiments.reproduce.pitfalls.experiments import Scale
from medad.experiments.reproduce.pitfalls.further import PUBLISHED, Curve, curves, error_finding, models_table
from medad.experiments.reproduce.pitfalls.images import read_training, training_images
from medad.experiments.reproduce.pitfalls.models import MODELS, Model, ModelOptions
from medad.experiments.reproduce.pitfalls.networks import Autoencoder
from medad.experiments.reproduce.pitfalls.page import page
from medad.experiments.reproduce.pitfalls.stored import studies
from medad.experiments.reproduce.pitfalls.trained import GIVEN, beside_anomalous, beside_normal
from medad.synthesis.disks import disk_masks


def test_autoencoders_are_the_papers():
    network = Autoencoder(256, 128)
    down = [layer for layer in network.encoder if isinstance(layer, nn.Conv2d)]
    up = [layer for layer in network.decoder if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.out_channels for layer in down] == [32, 64, 128, 128, 128]
    assert [layer.out_channels for layer in up] == [128, 128, 64, 32, 32]
    assert [p.shape for p in network.bottleneck.parameters()] == [(128, 8192), (8192, 128)]
    assert not any(layer.bias is not None for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    spatial = Autoencoder(256, 2, spatial=True)
    assert [tuple(p.shape) for p in spatial.bottleneck.parameters()] == [(2, 128, 1, 1), (128, 2, 1, 1)]
    for each in (network, spatial):
        assert each(torch.rand(2, 1, 256, 256)).shape == (2, 1, 256, 256)


@pytest.mark.parametrize("name", MODELS)
def test_the_loss_is_the_absolute_error_of_values_up_to_1(name):
    torch.manual_seed(0)
    options = ModelOptions(size=64, **MODELS[name])
    network, x = Model.make(options).eval(), torch.rand(2, 1, 64, 64)
    out = network(x)
    reconstruction, commitment = out if isinstance(out, tuple) else (out, torch.tensor(0.0))
    expected = (reconstruction - x).abs().mean() + 0.25 * commitment
    torch.testing.assert_close(Model.objective(options, network)(2 * x - 1), expected)
    optimiser = Model.optimise(options, network)
    assert optimiser.defaults["lr"] == 1e-3 and optimiser.defaults["weight_decay"] == 2e-2


def test_cells_are_those_of_the_whole_image(heads):
    (image,) = heads(1, 64)
    (mask,) = disk_masks(image[None], radius=8)
    darker = lambda given: 0.9 * given + 0.01  # noqa: E731
    contents = np.array([[0.0], [0.4], [1.0]])
    for judge in (beside_normal, beside_anomalous):
        aps, residuals = judge(image, mask, contents, darker)
        for value, ap, mean in zip(contents[:, 0], aps, residuals, strict=True):
            anomalous = np.where(mask, value, image)
            residual = np.abs(darker(image if judge is beside_normal else anomalous) - anomalous)
            assert ap == pytest.approx(average_precision_score(mask.ravel(), residual.ravel()))
            assert mean == pytest.approx(residual.mean())


def test_models_learn_from_the_first_files_without_their_background(folder):
    assert [entry.id for entry in training_images(folder)] == [f"{i:02}.png" for i in range(9)]
    pixels = read_training(folder, 64).pixels
    assert pixels.shape == (9, 1, 64, 64) and pixels.dtype == np.uint8 and (pixels[:, :, :4] == 0).all()


def test_the_command_trains_once_and_compares(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(experiments.SCALES, "quick", Scale(points=4, images=5, size=64))
    monkeypatch.setitem(models.RECIPES, "quick", {"steps": 2, "batch_size": 2})
    argv = ["--data", str(folder), "--out", str(tmp_path / "out"), "--workers", "1", "--device", "cpu"]
    assert main(["reproduce", "pitfalls3", *argv]) == 0
    text = capsys.readouterr().out
    assert "2 steps of 2 images in fp32. **Trainings are shortened" in text
    assert all(f"| {name} | " in text for name in MODELS) and "published error" not in text  # what is shortened
    weights = tmp_path / "out" / "brains" / "pitfalls" / "trainings-quick" / "weights"
    assert len(list(weights.glob("*.safetensors"))) == len(MODELS)
    monkeypatch.setattr(trained.Training, "fit", None)  # all is stored
    assert main(["reproduce", "pitfalls3", *argv]) == 0
    assert main(["reproduce", "pitfalls_further", *argv]) == 0
    (study,) = studies(tmp_path / "out")
    every = curves(study.grids)
    assert len(every) == 12 and all(curve.sigma in study.grids["pitfalls1"].sigmas for curve in every)
    for file in (tmp_path / "out" / "brains" / "pitfalls").glob("*-quick.*"):
        file.rename(file.with_name(file.name.replace("quick", "paper")))
    text = page(tmp_path / "out")
    assert "published error" in text and "those with a lower reconstruction error" in text and "shortened" not in text


def test_models_with_less_error_find_less_in_the_published_figures():
    every = [
        Curve(name, given, np.full(3, ap), error, None) for name, (error, ap) in PUBLISHED.items() for given in GIVEN
    ]
    assert error_finding(every).holds and "published figures +0.80" in error_finding(every).found
    turned = [Curve(c.model, c.given, 1 - c.ap, c.error, None) for c in every]
    assert not error_finding(turned).holds
    assert "| AE 128 | 0.03465 | 0.262 | 0.03465 | 0.262 |  |" in models_table(every, True)
    assert "published" not in models_table(every, False)
