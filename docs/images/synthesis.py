"""Draw synthesis.png: what every synthesis makes of the same generated images, and what it says of their pixels.

python docs/images/synthesis.py, from the root of the checkout.
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from PIL import Image
from torch import Tensor

from medad.data.phantom.benchmark import phantom_benchmark
from medad.synthesis.registry import SYNTHESES, make_synthesis
from medad.training.pixels import to_unit

SHOWN, SEED = 4, 51


def show(axis: Axes, image: Tensor, **how: object) -> None:
    """Draw one image without axes."""
    axis.imshow(image, interpolation="nearest", **how)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def main() -> None:
    """Write the figure beside this file."""
    phantoms = phantom_benchmark(size=128, normal=2 * SHOWN, unlabeled=0, test=(1, 1))
    images, others = to_unit(phantoms.normal.pixels, torch.device("cpu")).split(SHOWN)
    figure, axes = plt.subplots(
        1 + len(SYNTHESES), 2 * SHOWN, figsize=(8.8, 1.13 * (1 + len(SYNTHESES))), layout="constrained"
    )
    grey = {"cmap": "gray", "vmin": -1, "vmax": 1}
    for i in range(SHOWN):
        show(axes[0, 2 * i], images[i, 0], **grey)
        show(axes[0, 2 * i + 1], others[i, 0], **grey)
    axes[0, 0].set_ylabel("image, source", fontsize=9)
    for row, (name, info) in zip(axes[1:], SYNTHESES.items(), strict=True):
        torch.manual_seed(SEED)
        made = make_synthesis(name)(images, others if info.foreign else images)
        for i in range(SHOWN):
            show(row[2 * i], made.images[i, 0], **grey)
            show(row[2 * i + 1], made.labels[i], cmap="inferno", vmin=0, vmax=1)
        row[0].set_ylabel(name, fontsize=9, family="monospace")
    file = Path(__file__).with_suffix(".png")
    figure.savefig(file, dpi=90)
    Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)


main()
