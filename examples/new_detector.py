"""A detector of one's own, in a script: how far each pixel is from the normal images' mean, in standard deviations.

python examples/new_detector.py

The same class in a file of the package and a row in its registry makes it a method of the command line: see
CONTRIBUTING.
"""

import argparse
from typing import Any

import torch
from torch import Tensor

import medad
from medad.data.phantom.benchmark import phantom_benchmark
from medad.detectors.contract.one_fit import OneFitDetector
from medad.training.fit import Fit
from medad.training.pixels import Pixels


class ZScore(OneFitDetector):
    """Squared distance of every pixel to its mean over the normal images, divided by its variance."""

    name = "z_score"
    meanings = {"z": "squared z-score, mean over pixels"}
    random = False
    presets = {"paper": {}}

    @classmethod
    def learn(cls, options: Any, images: Pixels) -> Fit:
        """Return the fit: sums over the images, a batch at a time, and mean and variance in the end."""
        shape = (options.channels, options.size, options.size)
        sums = {"sum": torch.zeros(shape, dtype=torch.float64), "squares": torch.zeros(shape, dtype=torch.float64)}

        def update(index: Tensor) -> None:
            x = images(index).double()
            sums["sum"] += x.sum(0)
            sums["squares"] += x.square().sum(0)

        def finish(found: dict[str, Tensor]) -> dict[str, Tensor]:
            mean = found["sum"] / len(images)
            return {"mean": mean.float(), "variance": (found["squares"] / len(images) - mean.square()).float()}

        return Fit(cls.name, sums, update, finish)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the map and its mean."""
        z = ((x - self.learned("mean")).square() / (self.learned("variance") + 1e-2)).mean(1)
        score = z.mean((1, 2))
        return {"z": score, "pred_score": score}, {"anomaly_map": z}


def main(images: int) -> None:
    """Fit on so many normal images, and tell how well it does."""
    data = phantom_benchmark(normal=images, unlabeled=images, test=(40, 40), level="plain")
    detector = ZScore(device="cpu").fit(data.normal)
    figures = medad.evaluate(medad.score(detector, data.test), medad.controls(data.normal, data.unlabeled, data.test))
    for name, row in (figures["image"] | figures["controls"]).items():
        low, high = row["auroc_ci"]
        print(f"{name:20} AUROC {100 * row['auroc']:5.1f}  ({100 * low:.1f} to {100 * high:.1f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=200)
    main(**vars(parser.parse_args()))
