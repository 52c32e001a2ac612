"""VGG19 up to relu4_2 against layers of torch put together as torchvision's, and its file."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from medad.errors import UserError
from medad.networks.vgg import VGG19, read_vgg
from medad.networks.weights_file import weights_digest

# torchvision's numbers of the convolutions in vgg19().features, and their channels
CONVOLUTIONS = {0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 12: (256, 256)} | {
    14: (256, 256),
    16: (256, 256),
    19: (256, 512),
    21: (512, 512),
}
POOLS = (4, 9, 18)


def random_weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for i, (a, b) in CONVOLUTIONS.items():
        weights[f"features.{i}.weight"] = torch.randn(b, a, 3, 3, generator=generator) * (2 / (9 * a)) ** 0.5
        weights[f"features.{i}.bias"] = 0.1 * torch.randn(b, generator=generator)
    return weights


def test_features_are_those_of_torchvisions_layers():
    layers = nn.Sequential()
    for i in range(23):
        layers.append(
            nn.Conv2d(*CONVOLUTIONS[i], 3, padding=1)
            if i in CONVOLUTIONS
            else nn.MaxPool2d(2, 2)
            if i in POOLS
            else nn.ReLU()
        )
    weights, x = random_weights(), torch.randn(2, 3, 32, 32)
    layers.load_state_dict({name.removeprefix("features."): value for name, value in weights.items()})
    network = VGG19()
    network.load_state_dict(weights)
    found = network(x)
    assert found.shape == (2, 512, 4, 4)
    torch.testing.assert_close(found, layers(x))


def test_nothing_of_it_is_trained():
    network = VGG19()
    assert not list(network.parameters())
    assert sum(value.numel() for value in network.state_dict().values()) == 5_865_536


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_weights_are_read_and_other_layers_left_alone(tmp_path, ending):
    weights, path = random_weights(), tmp_path / f"vgg.{ending}"
    (torch.save if ending == "pth" else save_file)(weights | {"classifier.0.weight": torch.zeros(3, 3)}, path)
    found = read_vgg(path)
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_the_digest_is_of_the_weights_whatever_the_file(tmp_path):
    weights = random_weights()
    torch.save(weights, tmp_path / "a.pth")
    save_file(weights | {"classifier.0.weight": torch.zeros(3, 3)}, tmp_path / "b.safetensors")
    weights["features.21.bias"][511] += 1
    torch.save(weights, tmp_path / "c.pth")
    a, b, c = (weights_digest(read_vgg(tmp_path / name)) for name in ("a.pth", "b.safetensors", "c.pth"))
    assert a == b != c


class Surprise:
    """Not a tensor: reading it would run code."""

    def __reduce__(self):
        return print, ("code from the file was run",)


def test_other_files_are_refused_by_name(tmp_path, capsys):
    weights = random_weights()
    files = {"short": {k: v for k, v in weights.items() if k != "features.21.bias"}, "surprise": Surprise(), "list": []}
    files["shape"] = weights | {"features.0.weight": torch.zeros(64, 1, 3, 3)}
    for name, content in files.items():
        torch.save(content, tmp_path / f"{name}.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "text.safetensors").write_text("no weights")
    for name in ("short.pth", "shape.pth", "list.pth"):
        with pytest.raises(UserError, match=rf"{name}: not the weights of VGG19"):
            read_vgg(tmp_path / name)
    for name in ("text.pth", "text.safetensors", "surprise.pth", "missing.pth", "missing.safetensors"):
        with pytest.raises(UserError, match=rf"{name}: not a readable file of weights"):
            read_vgg(tmp_path / name)
    assert "run" not in capsys.readouterr().out
