"""How long an archive takes to be ranked: ``python -m benchmarks.rank > docs/results/rank_speed.md``.

Each archive is ranked in a process of its own by ``medad rank`` with its usual options, from files to pages.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.images import as_pil, make_pixels
from benchmarks.machine import describe
from benchmarks.memory import peak
from benchmarks.timing import say
from medad.detectors.features import descriptors
from medad.experiments.printed import printed_by
from medad.reports.markdown import markdown_table
from medad.workflows import rank as command
from medad.workflows.options import TrainOptions

SIDE, NORMAL = 128, 1000
SIZES = (1_000, 10_000)
PARTS = ("decoding", "extraction", "fit", "scoring", "drawing")
WHAT = (
    f"Generated PNG files of {SIDE} x {SIDE} pixels; {NORMAL} of them are the normal images, the others the archive. "
    "Decoding is that of both; extraction computes the descriptors of all, once; fit is all else that `medad rank` "
    "does before it scores (five regressions at six strengths, trivial controls, the scale of colours); scoring is "
    "that of the whole archive; drawing is that of the first 100 heat maps and of the page. Memory is the largest that "
    "the process, or one of those that it starts to fit, had resident."
)


def write_images(folder: Path, count: int, seed: int) -> None:
    """Write generated PNG files, a thousand at a time."""
    folder.mkdir()
    for start in range(0, count, 1000):
        for i, image in enumerate(as_pil(make_pixels(min(1000, count - start), SIDE, seed + start)), start):
            image.save(folder / f"{i:06}.png")


def timed(spent: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which adds its seconds to `spent` of that name."""

    def call(*given: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            return function(*given, **named)
        finally:
            spent[name] += time.monotonic() - began  # type: ignore[assignment]

    return call


def rank_one(count: int, jobs: int | None) -> dict[str, float]:
    """Rank one generated archive; return seconds by part, and the largest memory in bytes."""
    spent: Counter[str] = Counter()
    with TemporaryDirectory() as temporary:
        work = Path(temporary)
        os.environ["MEDAD_CACHE"] = str(work / "cache")
        write_images(work / "normal", NORMAL, 0)
        write_images(work / "archive", count, 10**6)
        places = {"decoding": "read_archive", "fit": "fit", "scoring": "scores_alone", "drawing": "_draw"}
        for part, name in places.items():
            setattr(command, name, timed(spent, part, getattr(command, name)))
        vars(descriptors)["descriptors_of"] = timed(spent, "extraction", descriptors.descriptors_of)
        began = time.monotonic()
        command.rank([work / "archive"], [work / "normal"], work / "out", TrainOptions(method="nu", jobs=jobs))
        whole = time.monotonic() - began
    # Descriptors are looked up again where they are known: the little that this takes counts as extraction.
    found = {name: float(spent[name]) for name in PARTS}
    found["fit"] = max(found["fit"] - found["extraction"], 0.0)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return found | {"whole": whole, "memory": float(max(peak(), children))}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rank", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of images in the archive")
    parser.add_argument("--jobs", type=int, help="cores; all by default")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.one:
        print(json.dumps(rank_one(a.one, a.jobs)))
        return
    machine = describe()
    rows = [["images", *PARTS, "all", "all but decoding", "largest memory, MiB"]]
    for count in a.sizes:
        say(f"{count} images are ranked")
        own = [
            sys.executable,
            "-m",
            "benchmarks.rank",
            "--one",
            str(count),
            *(["--jobs", str(a.jobs)] if a.jobs else []),
        ]
        found = json.loads(subprocess.run(own, stdout=subprocess.PIPE, text=True, check=True).stdout)
        seconds = [found[part] for part in PARTS] + [found["whole"], found["whole"] - found["decoding"]]
        rows.append([str(count), *(f"{s:.1f}" for s in seconds), f"{found['memory'] / 2**20:.0f}"])
    print("# How long does it take to rank an archive?\n")
    on = f"{machine['cpu']}, {a.jobs or machine['cores']} cores; other processes kept {machine['load']} cores busy"
    print(f"{printed_by('python -m benchmarks.rank')}, {on}. {WHAT} Seconds:\n")
    print(markdown_table(rows))


if __name__ == "__main__":
    main()
