"""What PatchCore needs for many images: ``python -m benchmarks.patchcore_memory 10000``.

Every number of images is fitted in a process of its own, which prints the most memory that it held. The images are
generated into a file that is mapped; what the system keeps of the file counts, too, where it counts mapped pages.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.images import make_file, make_set
from benchmarks.memory import forget_peak, peak
from benchmarks.timing import say
from medad.detectors.registry import make_detector
from medad.reports.markdown import markdown_table

SIZE = 224
MIB = 2**20


def measure(count: int, size: int) -> list[str]:
    """Return the row of a fit on `count` images: MiB before it, the most while it ran, of the images, and seconds."""
    with TemporaryDirectory() as folder:
        images = make_set(make_file(Path(folder) / "images.npy", count, size))
        detector = make_detector("patchcore", "paper", size=size, device="cpu", jobs=1)
        begin, before = time.perf_counter(), forget_peak()
        detector.fit(images)
        most, seconds = peak(), time.perf_counter() - begin
        rows = len(detector.tensors_["patchcore/bank"])
    figures = [before / MIB, most / MIB, images.pixels.nbytes / MIB, seconds]
    return [str(count), str(rows), *(f"{figure:.0f}" for figure in figures)]


def main() -> None:
    """Print a table, a row for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="+", help="numbers of images")
    parser.add_argument("--size", type=int, default=SIZE, help="their side")
    parser.add_argument("--row", action="store_true", help="only the row of one number, in this process")
    args = parser.parse_args()
    if args.row:
        print("\t".join(measure(args.counts[0], args.size)))
        return
    rows = []
    for count in args.counts:
        command = [sys.executable, "-m", "benchmarks.patchcore_memory", str(count), "--size", str(args.size), "--row"]
        rows.append(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip().split("\t"))
        say(f"{count} images: {rows[-1]}")
    head = ["Images", "Rows of the coreset", "MiB before", "most MiB", "MiB of images", "s"]
    print(markdown_table([head, *rows]))


if __name__ == "__main__":
    main()
