"""Checkpoints in the layout of the official code, scored as its text says, step by step in numpy."""

import math

import numpy as np
import pytest
import torch
from helpers import make_images

from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.published import load_published
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.networks.autoencoder import BACKBONES


def write_checkpoints(folder, backbone, members=3):
    torch.manual_seed(0)
    networks = {}
    for sub in ("a", "b"):
        (folder / sub).mkdir()
        for k in range(members):
            network = BACKBONES[backbone](hidden=2048)
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.running_var.uniform_(0.01, 2)
            torch.save(network.state_dict(), folder / sub / f"{k}.pth")
            networks[sub, k] = network.eval()
    (folder / "refine").mkdir()
    for name, inputs in (("dual", 2), ("intra", 1)):
        networks[name] = ASRNet(inputs).eval()
        torch.save(networks[name].state_dict(), folder / "refine" / f"refine_{name}.pth")
    return networks


def official_scores(networks, x, backbone):
    """Score as the official code does: module a is the UDM, inputs are [inter, intra], Bessel, no clamp."""
    for network in networks.values():
        network.log_variance_limit = math.inf
    with torch.no_grad():
        a = [networks["a", k](x) for k in range(3)]
        b = [networks["b", k](x) for k in range(3)]
    mu_a = np.mean([out.mean.numpy() for out in a], axis=0)
    mu_b = np.mean([out.mean.numpy() for out in b], axis=0)
    variance = np.ones_like(mu_b)
    if backbone == "aeu":
        variance = np.mean([np.exp(out.log_variance.numpy()) for out in b], axis=0)
    intra = np.std([out.mean.numpy() for out in b], axis=0, ddof=1) / np.sqrt(variance)
    inter = abs(mu_a - mu_b) / np.sqrt(variance)
    with torch.no_grad():
        dual = networks["dual"](torch.from_numpy(np.concatenate([inter, intra], axis=1))).softmax(1)[:, 1]
    return {
        "a_rec_ensemble": ((x.numpy() - mu_b) ** 2 / variance).mean((1, 2, 3)),
        "a_intra": intra.mean((1, 2, 3)),
        "a_inter": inter.mean((1, 2, 3)),
        "r_dual": dual.mean((1, 2)).numpy(),
    }


@pytest.mark.parametrize("backbone", BACKBONES)
def test_published_checkpoints_are_scored_in_their_way(tmp_path, backbone):
    networks = write_checkpoints(tmp_path, backbone)
    detector = load_published(tmp_path, backbone, device="cpu")
    images = make_images(4)
    x = torch.from_numpy(images.pixels.astype(np.float32) / 255 * 2 - 1)
    (prediction,) = detector.predict(images)
    for name, expected in official_scores(networks, x, backbone).items():
        np.testing.assert_allclose(prediction.scores[name], expected, rtol=2e-4, err_msg=name)


def test_published_checkpoints_become_a_run(tmp_path):
    write_checkpoints(tmp_path, "aeu")
    detector = load_published(tmp_path, "aeu", device="cpu")
    detector.save(tmp_path / "run")
    images = make_images(2)
    again = next(load_detector(tmp_path / "run").predict(images)).scores["r_dual"]
    np.testing.assert_array_equal(again, next(detector.predict(images)).scores["r_dual"])


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(UserError, match="same number"):
        load_published(tmp_path, "ae")
    write_checkpoints(tmp_path, "ae")
    with pytest.raises(UserError, match="backbone memae"):
        load_published(tmp_path, "memae")
    (tmp_path / "a" / "1.pth").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"1\.pth"):
        load_published(tmp_path, "ae")
    torch.save({"weights": [1, 2]}, tmp_path / "a" / "1.pth")
    with pytest.raises(UserError, match="not a state dict"):
        load_published(tmp_path, "ae")
