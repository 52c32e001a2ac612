"""``medad demo``: the whole way on generated images, with nothing to download."""

import time
from pathlib import Path

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import is_phantoms, write_phantoms
from medad.ownership import claimed
from medad.training.run_folder import OF_TRAINING
from medad.workflows.evaluate import OF_RESULTS
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.run import run_in
from medad.workflows.train import detector_of

PHANTOMS = "phantoms"
OF_DEMO = (*OF_TRAINING, *OF_RESULTS, f"{PHANTOMS}/")
NORMAL = 1000  # normal images, as many as the README advises
TEST = (400, 400)  # normal and abnormal, so that intervals are short

METHOD = "aeu"
OPTIONS = {"epochs": 40, "holdout": 0.1}  # a minute on one core, and a threshold
WHY = (
    "method aeu: it divides the error of every pixel by the error that it learnt to expect there, so that folds and "
    "edges, which differ in everyone, count little beside a lesion (how it was chosen: docs/phantom.md)"
)


def demo(out: Path, *, device: str = "auto", jobs: int | None = None) -> Path:
    """Generate the phantom benchmark with plain lesions, train AE-U (preset quick) on it, evaluate and report.

    Parameters
    ----------
    out : Path
        Folder of the demo; what an earlier demo left there is replaced, all else stays.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    UserError
        If `out` holds anything that no demo wrote under a name that it writes, or cannot be written.
    """
    options = TrainOptions(method=METHOD, preset="quick", device=device, jobs=jobs, options=OPTIONS)
    with claimed(out, "demo", OF_DEMO, clear=True, earlier=_earlier(out)):
        began = time.monotonic()
        say("generating phantom images: heads, some with a lesion (bright, dark, another texture, or displaced tissue)")
        write_phantoms(out / PHANTOMS, phantom_benchmark(level="plain", normal=NORMAL, test=TEST))
        say(WHY)
        report = run_in(out, detector_of(options), out / PHANTOMS, options)
        say(f"all of it took {time.monotonic() - began:.0f} s; open the report in a browser")
        say(f"your own images next: medad run FOLDER --method {METHOD} (medad run --help tells what FOLDER holds)")
        return report


def _earlier(out: Path) -> tuple[str, ...]:
    """Return the names of a demo that lies in `out` without a marker, as earlier versions left it: alone."""
    known = {name.rstrip("/") for name in OF_DEMO}
    found = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    return OF_DEMO if found <= known and is_phantoms(out / PHANTOMS) else ()
