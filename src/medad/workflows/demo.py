"""``medad demo``: the whole way on generated images, with nothing to download."""

import shutil
from pathlib import Path

from medad.data.phantom import phantom_benchmark
from medad.data.phantom_files import write_phantoms
from medad.errors import UserError
from medad.training.run import claim
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.run import run

PHANTOMS = "phantoms"


def demo(out: Path, *, device: str = "auto", jobs: int | None = None) -> Path:
    """Generate the phantom benchmark, train DDAD (preset quick) on it, evaluate and report.

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
        If `out` holds something else than a demo, or cannot be written.
    """
    if out.exists() and not (out / PHANTOMS).is_dir() and any(out.iterdir()):
        raise UserError(f"{out}: holds something else than a demo; choose another --out")
    shutil.rmtree(out, ignore_errors=True)
    claim(out, resume=False)
    say("generating phantom images")
    write_phantoms(out / PHANTOMS, phantom_benchmark())
    # the manifest tells kinds and masks, which data.json cannot
    manifest = out / PHANTOMS / "manifest.csv"
    return run(manifest, TrainOptions(preset="quick", device=device, jobs=jobs), out=out)
