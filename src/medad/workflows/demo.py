"""``medad demo``: the whole way on generated images, with nothing to download."""

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


def demo(out: Path, *, device: str = "auto", jobs: int | None = None) -> Path:
    """Generate the phantom benchmark with plain lesions, train DDAD (preset quick) on it, evaluate and report.

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
    options = TrainOptions(preset="quick", device=device, jobs=jobs)
    with claimed(out, "demo", OF_DEMO, clear=True, earlier=_earlier(out)):
        say("generating phantom images")
        write_phantoms(out / PHANTOMS, phantom_benchmark(level="plain"))
        return run_in(out, detector_of(options), out / PHANTOMS, options)


def _earlier(out: Path) -> tuple[str, ...]:
    """Return the names of a demo that lies in `out` without a marker, as earlier versions left it: alone."""
    known = {name.rstrip("/") for name in OF_DEMO}
    found = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    return OF_DEMO if found <= known and is_phantoms(out / PHANTOMS) else ()
