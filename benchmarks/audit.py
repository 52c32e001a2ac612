"""How long the search for near-duplicates takes: ``python -m benchmarks.audit > docs/results/audit_speed.md``.

An audit decodes the images first; here they are generated.
"""

import argparse
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.machine import describe
from benchmarks.timing import say
from medad.data.audit.near import near_duplicates
from medad.experiments.printed import printed_by
from medad.reports.markdown import markdown_table

WHAT = (
    "Generated pictures at 64 x 64: a mean anatomy that all share, smooth differences between patients, noise; every "
    "hundredth repeats the one before it, with a little noise of its own. Decoding is not timed. Memory is the largest "
    "that the process had resident; the pictures, 8 KiB each, which are mapped from a file, are the larger part of it."
)
SIDE, MODES, REPEATED = 64, 60, 100
SIZES = (12_500, 25_000, 50_000, 100_000)


def pictures(count: int, file: Path, seed: int = 0) -> np.ndarray:
    """Return (count, 64, 64) ``uint16`` pictures, mapped from `file`; every hundredth repeats the one before it."""
    random = np.random.default_rng(seed)
    found = np.memmap(file, np.uint16, "w+", shape=(count, SIDE, SIDE))
    mean = 90 * gaussian_filter(random.random((SIDE, SIDE)), 8)
    modes = np.stack([gaussian_filter(random.normal(size=(SIDE, SIDE)), 10 - 8 * k / MODES) for k in range(MODES)])
    modes *= (23 / np.arange(1, MODES + 1) / modes.std(axis=(1, 2)))[:, None, None]  # as of brain_tumor's images
    for i in range(count):
        noise = random.normal(scale=1.5, size=(SIDE, SIDE))
        if i % REPEATED or not i:
            last = 100 + mean + np.tensordot(random.normal(size=MODES), modes, 1)
        found[i] = np.clip((last + noise) * 257, 0, 65535)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of pictures")
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    a = parser.parse_args()
    machine = describe()
    rows = [["pictures", "seconds", "pairs planted", "pairs found", "largest memory, MiB"]]
    for count in a.sizes:
        with TemporaryDirectory() as work:
            say(f"{count} pictures are drawn")
            drawn = pictures(count, Path(work) / "pictures")
            began = time.monotonic()
            found = near_duplicates(drawn, np.zeros(count, np.int8), a.jobs)
            seconds = time.monotonic() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            planted = (count - 1) // REPEATED
            rows.append([str(count), f"{seconds:.1f}", str(planted), str(found.count), f"{peak:.0f}"])
            del drawn
    print("# How fast does an audit find near-duplicates?\n")
    on = f"{machine['cpu']}, {a.jobs} threads; other processes kept {machine['load']} cores busy"
    print(f"{printed_by('python -m benchmarks.audit')}, {on}. {WHAT}\n")
    print(markdown_table(rows))


if __name__ == "__main__":
    main()
