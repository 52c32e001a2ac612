"""ResNet18 as frozen features, with weights from a file of the user's (He et al., CVPR 2016)."""

from pathlib import Path
from typing import Self

from torch import Tensor, nn

from medad.networks.imagenet import ImageNetColours
from medad.networks.weights_file import read_weights

FEATURES = 512


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm, plus the input, by a 1 x 1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride > 1 or inputs != outputs:
            self.downsample.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.downsample.append(nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, H / stride, W / stride) for `x` (n, inputs, H, W)."""
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (out + self.downsample(x)).relu()


class FrozenResNet18(nn.Module):
    """ResNet18 up to its pooled features: never trained, its batch norms never in training mode.

    Names of weights are torchvision's; they are random until loaded.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, FEATURES, 2), BasicBlock(FEATURES, FEATURES, 1))
        self.colours = ImageNetColours()
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, (n, 512), of images (n, C, S, S) in [-1, 1], grey ones shown as RGB."""
        x = self.maxpool(self.bn1(self.conv1(self.colours(x))).relu())
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode."""
        return super().train(False)


def read_resnet18(path: Path) -> dict[str, Tensor]:
    """Return the weights of :class:`FrozenResNet18` in a file of torchvision's ResNet18.

    Parameters
    ----------
    path : Path
        A state dict, ``.safetensors`` or as torch saves it; nothing in it is executed.

    Raises
    ------
    UserError
        If the file is not there, cannot be read or holds other weights.
    """
    return read_weights(path, FrozenResNet18(), "ResNet18")
