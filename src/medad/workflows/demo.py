"""``medad demo``: the whole way on generated images, with nothing to download."""

from pathlib import Path

from medad.data.phantom import phantom_benchmark
from medad.data.phantom_files import write_phantoms
from medad.errors import UserError
from medad.files import remove
from medad.training.run import CHECKPOINT_FOLDER, CONTROLS_FILE, LOSSES_FILE, RUN_FILE, WEIGHTS_FILE, claim
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.run import run

PHANTOMS = "phantoms"
OF_TRAINING = {CHECKPOINT_FOLDER, CONTROLS_FILE, LOSSES_FILE, RUN_FILE, WEIGHTS_FILE}
OF_A_RUN = OF_TRAINING | {"scores.csv", "metrics.json", "report.html"}
OF_PHANTOMS = {"images", "masks", "manifest.csv", "data.json"}


def demo(out: Path, *, device: str = "auto", jobs: int | None = None) -> Path:
    """Generate the phantom benchmark with plain lesions, train DDAD (preset quick) on it, evaluate and report.

    Parameters
    ----------
    out : Path
        Folder of the demo; what an earlier demo left there is replaced.
    device, jobs
        See :class:`medad.detectors.base.Detector`.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    UserError
        If `out` holds anything that no demo writes, or cannot be written.
    """
    options = TrainOptions(preset="quick", device=device, jobs=jobs)
    _clear(out)
    claim(out, resume=False)
    say("generating phantom images")
    write_phantoms(out / PHANTOMS, phantom_benchmark(level="plain"))
    return run(out / PHANTOMS, options, out=out)


def _clear(out: Path) -> None:
    """Remove an earlier demo, and nothing else."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UserError(f"{out}: not a folder; choose another --out")
    found = _names(out)
    foreign = found - OF_A_RUN - {PHANTOMS} or _names(out / PHANTOMS) - OF_PHANTOMS
    if foreign or (found and PHANTOMS not in found):
        example = min(foreign or found)
        raise UserError(f"{out}: holds something else than a demo ({example}); choose another --out")
    for name in found:
        remove(out / name)


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
