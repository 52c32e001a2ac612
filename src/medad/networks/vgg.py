"""VGG19 up to relu4_2, with weights from a file of the user's (Simonyan and Zisserman, ICLR 2015)."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.weights_file import read_weights

LAYERS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256, "pool", 512, 512)


class FrozenConv(nn.Module):
    """3 x 3 convolution whose weights are buffers: kept with the network that looks through it, never trained."""

    weight: Tensor
    bias: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(outputs, inputs, 3, 3))
        self.register_buffer("bias", torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x`, (n, inputs, H, W), into (n, outputs, H, W)."""
        return F.conv2d(x, self.weight, self.bias, padding=1)


class VGG19(nn.Module):
    """The first ten convolutions of VGG19; names of weights are torchvision's. All weights are zero until loaded."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for layer in LAYERS:
            if isinstance(layer, int):
                layers += [FrozenConv(inputs, layer), nn.ReLU(inplace=True)]
                inputs = layer
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu4_2, (n, 512, S/8, S/8), of images (n, 3, S, S) with ImageNet's mean and deviation taken out."""
        return self.features(x)


def read_vgg(path: Path) -> dict[str, Tensor]:
    """Return the weights of :class:`VGG19` in a file of torchvision's VGG19, which may hold more layers.

    Parameters
    ----------
    path : Path
        A state dict, ``.safetensors`` or as torch saves it; nothing in it is executed.

    Raises
    ------
    UserError
        If the file is not there, cannot be read or holds other weights.
    """
    return read_weights(path, VGG19(), "VGG19")
