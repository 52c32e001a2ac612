"""Draw ddad.png: what two groups of networks disagree about, in generated images.

python docs/images/ddad.py RUN DATA, from the root of the checkout: a run of DDAD in preset standard on the phantoms of
level plain, as `python -m medad.experiments.studies.presets phantom_plain` makes them, and these.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib import pyplot as plt

from medad.data.loading import load_or_fail
from medad.data.repartition import Repartition
from medad.detectors.registry import load_detector

SHOWN, SEED = 5, 2
MAPS = {
    "a_rec": "A_rec: how badly it is redrawn",
    "a_inter": "A_inter: what the groups disagree about",
    "r_nu": "R_nu: what tells archive from normal",
}


def main(run: Path, data: Path) -> None:
    """Write the figure beside this file: abnormal test images at random, none chosen."""
    detector = load_detector(run, device="cpu")
    test = load_or_fail(Repartition.read(data).test, detector.options.preprocessing, "test images").images
    assert test.labels is not None and test.masks is not None
    some = np.random.default_rng(SEED).choice(np.flatnonzero(test.labels), SHOWN, replace=False)
    (found,) = detector.predict(test.subset(some), batch_size=SHOWN)
    figure, axes = plt.subplots(1 + len(MAPS), SHOWN, figsize=(8.8, 7.2), layout="constrained")
    for i in range(SHOWN):
        axes[0, i].imshow(test.pixels[some[i], 0], cmap="gray", vmin=0, vmax=255)
        axes[0, i].contour(test.masks[some[i]], [0.5], colors="#dc2626", linewidths=0.8)
    axes[0, 0].set_title("image, the lesion outlined", loc="left", fontsize=10)
    for row, (name, told) in zip(axes[1:], MAPS.items(), strict=True):
        low, high = np.percentile(found.maps[name], (1, 99.5))
        for axis, value in zip(row, found.maps[name], strict=True):
            axis.imshow(value, cmap="inferno", vmin=low, vmax=high)
        row[0].set_title(told, loc="left", fontsize=10)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=80)


main(*map(Path, sys.argv[1:]))
