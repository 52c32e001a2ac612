"""Networks that describe a small patch, evaluated on every patch of an image at once (Bergmann et al., CVPR 2020)."""

from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 5e-3
POOL = "pool"
# Kernel and channels, in units of `width`, of each convolution; POOL halves the sides.
LAYERS: dict[int, tuple[tuple[int, int] | str, ...]] = {
    17: ((6, 1), (5, 2), (5, 2), (4, 1)),
    33: ((5, 1), POOL, (5, 2), POOL, (2, 2), (4, 1)),
    65: ((5, 1), POOL, (5, 1), POOL, (5, 2), POOL, (4, 2), (1, 1)),
}


class PatchNetwork(nn.Module):
    """Convolutions without padding that make one descriptor of a patch.

    Parameters
    ----------
    patch : int
        Side p of a patch: 17, 33 or 65.
    channels : int
        Of the images.
    width : int
        Numbers in a descriptor; the widest layers have twice as many channels.
    """

    def __init__(self, patch: int, channels: int, width: int = 128) -> None:
        super().__init__()
        self.patch = patch
        layers: list[nn.Module] = []
        for layer in LAYERS[patch]:
            if isinstance(layer, str):
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, layer[1] * width, layer[0]), nn.LeakyReLU(SLOPE)]
                channels = layer[1] * width
        self.layers = nn.Sequential(*layers[:-1])  # the descriptor itself may be negative

    @property
    def spacing(self) -> int:
        """How far apart patches are that the network sees at no extra cost: 1, 4 or 8 pixels."""
        return 2 ** LAYERS[self.patch].count(POOL)

    def forward(self, x: Tensor, stride: int = 1) -> Tensor:
        """Return the descriptors of all patches of `x` whose corners are `stride` pixels apart.

        Each is exactly what the network says of the patch alone. A pooling layer either halves the map, while the
        stride allows it, or moves by one pixel and has all later layers look at every second value only.

        Parameters
        ----------
        x : Tensor
            (n, C, H, W), sides at least p.
        stride : int
            A power of two.

        Returns
        -------
        Tensor
            (n, width, (H - p) // stride + 1, (W - p) // stride + 1).
        """
        height, width = ((side - self.patch) // stride + 1 for side in x.shape[2:])
        left, dilation, last = stride, 1, len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            if isinstance(layer, nn.MaxPool2d):
                step = min(left, 2)
                x = F.max_pool2d(x, 2, step, dilation=dilation)
                left, dilation = left // step, dilation * 2 // step
            elif isinstance(layer, nn.Conv2d):
                x = F.conv2d(x, layer.weight, layer.bias, left if i == last else 1, dilation=dilation)
            else:
                x = layer(x)
        return x[:, :, :height, :width]  # pools that drop an odd row leave more than there are patches


def padded(x: Tensor, patch: int, stride: int = 1) -> Tensor:
    """Return images `x`, (n, C, S, S), with zeros around them, so that a patch network sees every place.

    Descriptor (i, j) that it then gives with `stride` is that of the patch around pixel
    (stride * i + stride // 2, stride * j + stride // 2), and there are S // stride in a row.
    """
    before, after = patch // 2 - stride // 2, patch // 2 + stride // 2 - (stride - 1)
    return F.pad(x, (before, after, before, after))
