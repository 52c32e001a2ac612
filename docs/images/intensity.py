"""Draw intensity.png: what the rules of ``--intensity`` make of the same generated picture in four files.

python docs/images/intensity.py, from the root of the checkout.
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from medad.data.intensity import Intensity
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.readers import Decoded

RULES = ("dtype", "file", "percentile 1 99", "window -160 240")


def files() -> dict[str, Decoded]:
    """Return the picture as four files might hold it."""
    picture = phantom_benchmark(normal=1, unlabeled=2, test=(1, 1)).normal.pixels[0, 0] / 255.0
    twelve = np.rint(picture * 4095).astype(np.uint16)
    signed = np.rint(picture * 600 - 200).astype(np.int16)
    odd = signed.copy()
    odd[:2, :2] = 3071  # a clip of metal
    return {
        "12 bits declared": Decoded(twelve, "PNG", "I;16", white=4095),
        "12 bits in 16,\nnot declared": Decoded(twelve, "PNG", "I;16", white=65535),
        "signed, -200 to 400": Decoded(signed, "TIFF", "I;16S"),
        "the same with\na few odd pixels": Decoded(odd, "TIFF", "I;16S"),
    }


def main() -> None:
    """Write the figure beside this file."""
    rows = files()
    figure, axes = plt.subplots(len(rows), len(RULES), figsize=(6.4, 6.6), layout="constrained")
    for line, (name, image) in zip(axes, rows.items(), strict=True):
        for axis, rule in zip(line, RULES, strict=True):
            grey, _ = Intensity.parse(rule)(image)
            axis.imshow(grey, cmap="gray", vmin=0, vmax=np.iinfo(grey.dtype).max)
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=9)
    for axis, rule in zip(axes[0], RULES, strict=True):
        axis.set_title(rule, fontsize=10, family="monospace")
    file = Path(__file__).with_suffix(".png")
    figure.savefig(file, dpi=90)
    Image.open(file).convert("L").save(file, optimize=True)


main()
