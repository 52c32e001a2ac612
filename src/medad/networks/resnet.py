"""ResNets, to be trained or with weights from a file of the user's (He et al., CVPR 2016)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

from torch import Tensor, nn

from medad.networks.imagenet import ImageNetColours
from medad.networks.weights_file import read_weights

FEATURES = 512
PLANES = (64, 128, 256, 512)  # of the four layers: the channels between the convolutions of a block


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm, plus the input, by a 1 x 1 convolution where the shape changes."""

    norms: ClassVar = {"bn1": "conv1", "bn2": "conv2"}
    expansion: ClassVar = 1

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = _shortcut(inputs, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, planes, H / stride, W / stride) for `x` (n, inputs, H, W)."""
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_()))
        return (out + self.downsample(x)).relu_()


class Bottleneck(nn.Module):
    """Narrowing by 1 x 1, a 3 x 3 convolution, which strides, widening by 1 x 1; plus the input as in `BasicBlock`.

    Parameters
    ----------
    inputs, planes, stride : int
        It has 4 * planes outputs.
    wider : int
        Factor by which the 3 x 3 convolution is wider than `planes`: 2 in wide ResNets.
    """

    norms: ClassVar = {"bn1": "conv1", "bn2": "conv2", "bn3": "conv3"}
    expansion: ClassVar = 4

    def __init__(self, inputs: int, planes: int, stride: int, wider: int = 1) -> None:
        super().__init__()
        inner, outputs = planes * wider, planes * self.expansion
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, 4 * planes, H / stride, W / stride) for `x` (n, inputs, H, W)."""
        out = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_())).relu_()
        return (self.bn3(self.conv3(out)) + self.downsample(x)).relu_()


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


Block = Callable[[int, int, int], BasicBlock | Bottleneck]
# Block and number of blocks in each layer.
KINDS: dict[str, tuple[Block, tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "wide_resnet50_2": (partial(Bottleneck, wider=2), (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """A ResNet without its classifier; names of weights are torchvision's, they are random until loaded.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    width : int
        Channels of the first convolution; 64, as published, or fewer, all others in proportion. With fewer than 16
        torch's own 1 x 1 convolution of stride 2 (2.13, on CPUs) writes past its memory in training.
    """

    norms: ClassVar = {"bn1": "conv1"}

    def __init__(self, kind: str, width: int = PLANES[0]) -> None:
        super().__init__()
        block, repeats = KINDS[kind]
        inputs = width
        self.conv1 = nn.Conv2d(3, inputs, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for i, (planes, count) in enumerate(zip(PLANES, repeats, strict=True)):
            layer = nn.Sequential()
            for k in range(count):
                inner = planes * width // PLANES[0]
                made = block(inputs, inner, 2 if i and not k else 1)
                inputs = inner * made.expansion
                layer.append(made)
            self.add_module(f"layer{i + 1}", layer)
        self.colours = ImageNetColours()

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Return what ``layer1`` to ``layer4`` make of images (n, C, S, S) in [-1, 1], grey ones shown as RGB."""
        x, found = self.maxpool(self.bn1(self.conv1(self.colours(x))).relu_()), {}
        for i in range(1, 5):
            found[f"layer{i}"] = x = self.get_submodule(f"layer{i}")(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, what ``layer4`` makes of the images on average: (n, 512) of a ResNet18."""
        return self.stages(x)["layer4"].mean((2, 3))


class FrozenResNet18(ResNet):
    """ResNet18 up to its pooled features: never trained, its batch norms never in training mode."""

    def __init__(self) -> None:
        super().__init__("resnet18")
        self.requires_grad_(False).eval()

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
