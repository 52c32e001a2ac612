"""Descriptors of images by a frozen network: medad against the loop that most people write.

``python -m benchmarks.extraction`` writes ``benchmarks/results/extraction/MACHINE.json``, for the page on speed.
"""

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.images import make_pixels
from benchmarks.machine import describe
from benchmarks.tables import BUSY
from benchmarks.timing import Piece, interleave
from medad.cores import cores
from medad.detectors.features.descriptor_store import DescriptorStore
from medad.detectors.features.extraction import descriptors_of
from medad.detectors.features.extractors.contract import Extractor
from medad.detectors.features.extractors.registry import extractor_key, for_scoring, read_extractor
from medad.reports.markdown import markdown_table

EXTRACTION = Path(__file__).parent / "results" / "extraction"
EXTRACTOR, SIZE, BATCH = "efficientnet_lite0", 128, 32
CPU = torch.device("cpu")
WAYS = ("medad", "known", "plain")
WHAT = f"""\
`python -m benchmarks.extraction` times the pooled descriptors of `{EXTRACTOR}` of grey images of {SIZE} x {SIZE} \
pixels, fp32: medad, with an empty store of descriptors that it fills meanwhile; medad once more, when all images are \
known; and the loop that most people write: the same network as it was read, eager, in batches of {BATCH}, without \
gradients, all cores at work on each operation. All run in turns. A ratio of 2 means that the loop takes twice as long \
as medad with an empty store."""


def plain(extractor: Extractor, pixels: np.ndarray) -> np.ndarray:
    """Return descriptors as a plain loop computes them, (n, D)."""
    torch.set_num_threads(cores())
    found = []
    with torch.no_grad():
        for start in range(0, len(pixels), BATCH):
            x = torch.from_numpy(pixels[start : start + BATCH]).float() / 127.5 - 1
            found.append(extractor.describe(extractor(x)).numpy())
    return np.concatenate(found)


def ours(extractor: Extractor, key: str, pixels: np.ndarray) -> np.ndarray:
    """Return descriptors as medad computes them, (n, D), with an empty store."""
    with _cache():
        return descriptors_of(extractor, DescriptorStore(key), pixels, cores(), CPU)


@contextmanager
def _cache() -> Iterator[None]:
    before = os.environ.get("MEDAD_CACHE")
    with TemporaryDirectory(prefix="medad-bench-") as folder:
        os.environ["MEDAD_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("MEDAD_CACHE")
            if before is not None:
                os.environ["MEDAD_CACHE"] = before


def measure(count: int, rounds: int) -> dict[str, Any]:
    """Return a whole result: the seconds that each way took, round by round."""
    pixels = make_pixels(count, SIZE)
    extractor = read_extractor(EXTRACTOR)
    merged, key = for_scoring(extractor), extractor_key(EXTRACTOR, extractor)
    machine = describe()
    with _cache():
        store = DescriptorStore(key)
        known = partial(descriptors_of, merged, store, pixels, cores(), CPU)
        known()
        ways = (partial(ours, merged, key, pixels), known, partial(plain, extractor, pixels))
        pieces = [Piece(name, way, count) for name, way in zip(WAYS, ways, strict=True)]
        interleave(pieces, 1 + rounds)
    seconds = {piece.name: piece.seconds[1:] for piece in pieces}  # the first warms up
    return {"machine": machine, "rounds": rounds, "count": count, "seconds": seconds}


def section(results: Path = EXTRACTION) -> str:
    """Return what the page on speed says of descriptors."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    parts = [text for result in found for text in (_headline(result), _table(result))]
    return "\n\n".join([WHAT, *(parts or ["Nothing has been measured yet."])])


def _headline(result: dict[str, Any]) -> str:
    m = result["machine"]
    busy = f"; **other processes kept {m['load']} cores busy**" if m["load"] > BUSY else ""
    return f"{m['cpu']}, {m['cores']} cores; torch {m['torch']}, medad {m['medad']}; {m['date']}{busy}"


def _table(result: dict[str, Any]) -> str:
    seconds = result["seconds"]
    rates = [f"{result['count'] / median(seconds[name]):,.0f}" for name in WAYS]
    ratios = [b / a for a, b in zip(seconds["medad"], seconds["plain"], strict=True)]
    ratio = f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    head = ["images", "medad, images/s", "known images/s", "plain loop", "ratio of the times (range over rounds)"]
    return markdown_table([head, [f"{result['count']:,}", *rates, ratio]])


def main() -> None:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction", description=__doc__)
    parser.add_argument("--count", type=int, default=512, help="images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file to write; by default results/extraction/MACHINE.json")
    a = parser.parse_args()
    result = measure(a.count, a.rounds)
    print(f"{_headline(result)}\n\n{_table(result)}")
    out = a.out or EXTRACTION / f"{result['machine']['slug']}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
