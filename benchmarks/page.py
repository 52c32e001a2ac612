"""The page on speed, printed from the stored results: ``python -m benchmarks.page`` writes ``docs/performance.md``."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.decoding import section as decoding
from benchmarks.extraction import section as extraction
from benchmarks.run import RESULTS
from benchmarks.tables import headline, tables, whole
from medad.experiments.studies.precision import section as precision

HERE = Path(__file__).parent
SCORES = HERE.parent / "docs" / "results"

WHAT = """\
`make bench` times medad against [`benchmarks/reference_loop.py`](../benchmarks/reference_loop.py), a plain rendering \
of the published recipe of DDAD-ASR: PIL images in memory, a DataLoader with one worker, eager fp32 with torch's \
default threads, a look at the loss after every step, Adam as torch makes it, one network after the other, tests one \
image at a time, torch's own layers. Both train and score the same networks (backbone AE, preset `paper`); a test \
of the suite checks that both follow the same losses. What is compared is run in turns, several rounds over; figures \
are medians, in brackets the range over the rounds. Another busy process slows the reference, whose threads wait for \
each other, more than medad: so load is measured before and, if there is any, told.

**The protocol** is NDM and UDM (three networks each, 250 epochs) and one ASR-Net (R_dual, 100 epochs) with the sizes \
of brain_tumor: 1,000 normal, 1,000 unlabeled and 1,200 test images of 64 x 64. Hours of reference are too long to run \
whole, so the times are composed:

- *Reference*: an epoch of an NDM network, of a UDM network and, synthesis and maps included, of ASR-Net, each \
measured whole; its tests from the time per image.
- *Medad*: its own trainer (processes, checkpoints, files) at two lengths. The line through them separates start-up \
from the time of a step. As many networks as there are cores train at a time; in the whole protocol the trainer deals \
their steps out in slices so that all cores end together, so the time is the start-up plus all steps divided by the \
number of processes, and the time that the regular checkpoints take.
- *With tests*: the reference tests each NDM network at epoch 1 and at every 25th, and ASR-Net after every epoch, as \
the published loop does; medad scores the test images once, at the end, because no epoch is chosen on them. *Without \
tests*: training alone. *Equal tests*: medad is charged with a scoring of all test images, by all networks, for every \
test of the reference.

**Scoring** is measured directly: six AE and one ASR-Net, the reference one image at a time, medad by `predict`.

**The share of the arithmetic peak** divides the operations that the layers need (counted by torch, forward and \
backward; for training ASR-Net without the maps it is fed) by the best of several matrix products and a convolution, \
one single-threaded process per core, in the same run. The reference is compared with the peak of fp32. \
ASR-Net trains with two threads, whatever the number of cores.

**Numbers and sizes**: one AE trained by one process with one thread, and scoring, from memory-mapped files; the start \
of training contains reading all images once for their digest.

`make bench-quick` is a look of three minutes at shorter pieces; its figures are not for quoting."""


WHOLE_WHAT = """\
`python -m benchmarks.whole --device DEVICE --precision PRECISION` trains AE-U networks of both modules and both \
ASR-Nets, and scores the test images, with the sizes above. On a GPU images stay on the device, order and synthesis \
are drawn there, up to eight networks train at a time, each in a stream of its own, and every step is a CUDA graph, \
recorded once and replayed; the host waits for the device only to write checkpoints. TF32 is a precision of its own: \
fp32 means fp32, for convolutions too, where torch itself would round."""


NO_GPU = "**Figures of a GPU are missing**: none has been at hand; training on one has been tested in parts, on CPUs."


def page(results: Path, notes: Path, scores: Path = SCORES) -> str:
    """Return the page: what is measured, the tables of every ``*.json`` in `results`, stored `scores`, and `notes`."""
    return "\n\n".join(_parts(results, notes, scores)) + "\n"


def _parts(results: Path, notes: Path, scores: Path) -> Iterator[str]:
    yield "# Speed"
    yield "Printed by `python -m benchmarks.page` from `benchmarks/results/`; written by hand are only the notes."
    yield WHAT
    for path in sorted(results.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        yield f"## {path.stem}"
        yield headline(result)
        yield tables(result)
    yield f"## The whole protocol, nothing composed\n\n{WHOLE_WHAT}"
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((results / "whole").glob("*.json"))]
    yield whole(found) if found else "None has been measured yet."
    if not any("gpu" in result for result in found):
        yield NO_GPU
    yield f"## Reading files\n\n{decoding(results / 'decoding')}"
    yield f"## Descriptors of frozen networks\n\n{extraction(results / 'extraction')}"
    yield f"## Does bf16 keep every score?\n\n{precision(scores)}"
    if notes.exists():
        yield notes.read_text(encoding="utf-8").strip()


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "performance.md")
    a = parser.parse_args()
    a.out.write_text(page(a.results, HERE / "notes.md"), encoding="utf-8")


if __name__ == "__main__":
    main()
