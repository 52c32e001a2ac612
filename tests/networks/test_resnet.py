"""ResNets against the published networks in plain operations, and reading ResNet18's weights."""

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from medad.errors import UserError
from medad.networks.resnet import FrozenResNet18, ResNet, read_resnet18
from medad.networks.weights_file import weights_digest


def plain_resnet18(w: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Compute the features of torchvision's network from its state dict."""

    def conv_norm(x: torch.Tensor, conv: str, norm: str, stride: int = 1) -> torch.Tensor:
        weight = w[f"{conv}.weight"]
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        return F.batch_norm(x, *(w[f"{norm}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")))

    x = F.max_pool2d(conv_norm(x, "conv1", "bn1", 2).relu(), 3, 2, 1)
    for i in range(1, 5):
        for j in range(2):
            block, stride = f"layer{i}.{j}", 2 if i > 1 and j == 0 else 1
            out = conv_norm(x, f"{block}.conv1", f"{block}.bn1", stride).relu()
            out = conv_norm(out, f"{block}.conv2", f"{block}.bn2")
            if stride == 2:
                x = conv_norm(x, f"{block}.downsample.0", f"{block}.downsample.1", 2)
            x = (x + out).relu()
    return F.adaptive_avg_pool2d(x, 1).flatten(1)


@pytest.fixture(scope="module")
def network():
    network = FrozenResNet18()
    for name, tensor in network.state_dict().items():
        if "bn" in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize(("size", "channels"), [(64, 1), (32, 3)])
def test_features_are_those_of_the_published_network(network, size, channels):
    x = torch.rand(2, channels, size, size) * 2 - 1
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    colour = (x.repeat(1, 3 // channels, 1, 1) / 2 + 0.5 - mean) / deviation
    expected = plain_resnet18(network.state_dict(), colour)
    assert expected.shape == (2, 512)
    torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-4)


def test_it_is_torchvisions_without_the_classifier(network):
    assert sum(p.numel() for p in network.parameters()) == 11_689_512 - 513_000


def test_it_never_trains(network):
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(m.training for m in network.train().modules())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_are_read_from_both_kinds_of_files(network, tmp_path, suffix):
    path = tmp_path / f"resnet18{suffix}"
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k} | {"fc.bias": torch.zeros(1000)}
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    found = read_resnet18(path)
    assert found.keys() == state.keys() - {"fc.bias"}
    assert all(torch.equal(found[name], state[name]) for name in found)
    del state["fc.bias"]
    assert weights_digest(found) == weights_digest({name: state[name] for name in found})
    found["conv1.weight"][0, 0, 0, 0] += 1
    assert weights_digest(found) != weights_digest({name: state[name] for name in found})


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="not a readable file of weights"):
        read_resnet18(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UserError, match="not a readable file of weights"):
        read_resnet18(tmp_path / "text.pth")
    save_file({"conv1.weight": torch.zeros(64, 1, 7, 7)}, tmp_path / "grey.safetensors")
    with pytest.raises(UserError, match=r"not the weights of ResNet18 \(conv1.weight is missing or of another shape\)"):
        read_resnet18(tmp_path / "grey.safetensors")


def plain_bottlenecks(w: dict[str, torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """Compute the four layers of torchvision's ResNet50 or wide ResNet50 from its state dict."""

    def conv_norm(x: torch.Tensor, conv: str, norm: str, stride: int = 1) -> torch.Tensor:
        weight = w[f"{conv}.weight"]
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        return F.batch_norm(x, *(w[f"{norm}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")))

    x, found = F.max_pool2d(conv_norm(x, "conv1", "bn1", 2).relu(), 3, 2, 1), []
    for i, blocks in enumerate((3, 4, 6, 3), 1):
        for j in range(blocks):
            block, stride = f"layer{i}.{j}", 2 if i > 1 and j == 0 else 1
            out = conv_norm(x, f"{block}.conv1", f"{block}.bn1").relu()
            out = conv_norm(out, f"{block}.conv2", f"{block}.bn2", stride).relu()
            out = conv_norm(out, f"{block}.conv3", f"{block}.bn3")
            if j == 0:
                x = conv_norm(x, f"{block}.downsample.0", f"{block}.downsample.1", stride)
            x = (x + out).relu()
        found.append(x)
    return found


@pytest.mark.parametrize(("kind", "parameters"), [("resnet50", 25_557_032), ("wide_resnet50_2", 68_883_240)])
def test_bottlenecks_are_those_of_the_published_networks(kind, parameters):
    network = ResNet(kind).eval()
    assert sum(p.numel() for p in network.parameters()) == parameters - 2_049_000  # without the classifier
    for name, tensor in network.state_dict().items():
        if "bn" in name and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.0)
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        found = network.stages(x)
        expected = plain_bottlenecks(network.state_dict(), (x / 2 + 0.5 - mean) / deviation)
    assert [tuple(m.shape[1:]) for m in expected] == [(256, 16, 16), (512, 8, 8), (1024, 4, 4), (2048, 2, 2)]
    for one, other in zip(found.values(), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * float(other.abs().max()))
