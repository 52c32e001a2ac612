"""How cost per image grows with the number and the size of the images: one AE in fp32, files memory-mapped."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.compose import Line
from benchmarks.images import make_file, make_set
from benchmarks.plan import Plan
from benchmarks.timing import say
from medad.data.imageset import ImageSet
from medad.detectors.reconstruction.ae import AEDetector, AEOptions

AT_64, AT_A_TIME = 64, 1_000


def scaling(plan: Plan, folder: Path) -> list[dict[str, Any]]:
    """Return a row for each number of images at 64 x 64 and for each size of 1,000 images."""
    cases = [(count, AT_64) for count in plan.counts] + [(AT_A_TIME, size) for size in plan.sizes]
    return [measure(count, size, plan.scaling_steps, folder / f"{count}_{size}.npy") for count, size in cases]


def measure(count: int, size: int, lengths: tuple[int, int], file: Path) -> dict[str, Any]:
    """Train an AE for two numbers of steps, in one process with one thread, then score all images.

    Returns
    -------
    dict
        ``images``, ``size``; ``training_start_s``, the time that does not depend on the number of steps;
        images per second of ``training`` and ``scoring``.
    """
    images = make_set(make_file(file, count, size))
    detector = _fit(images, size, 1)  # first, so that what torch does only once is not measured
    short, long = ((steps, _seconds(partial(_fit, images, size, steps))) for steps in lengths)
    line = Line.through(short, long)
    scoring = _seconds(lambda: sum(len(batch.ids) for batch in detector.predict(images)))
    file.unlink()
    row = {"images": count, "size": size, "training_start_s": line.start}
    row |= {"training": detector.options.batch_size / line.each, "scoring": count / scoring}
    say(f"scaling, {count} images of {size} x {size}: {row}")
    return row


def _fit(images: ImageSet, size: int, steps: int) -> AEDetector:
    options = AEOptions(size=size, steps=steps)
    fresh = ImageSet(images.pixels, images.ids, images.paths)  # an ImageSet digests its pixels only once
    return AEDetector(options, device="cpu", jobs=1).fit(fresh)


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
