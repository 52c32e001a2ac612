"""``medad run``: train, evaluate and report in one go."""

from pathlib import Path

from medad.workflows.evaluate import evaluate
from medad.workflows.options import TrainOptions
from medad.workflows.train import train


def run(
    data: Path,
    options: TrainOptions,
    *,
    out: Path | None = None,
    split: Path | None = None,
    resume: bool = False,
) -> Path:
    """Fit a detector on `data`, score its test images, and put the results into the run folder.

    Parameters and errors are those of :func:`medad.workflows.train.train` and
    :func:`medad.workflows.evaluate.evaluate`.

    Returns
    -------
    Path
        The report.
    """
    folder = train(data, options, out=out, split=split, resume=resume)
    return evaluate(folder, data, out=folder, split=split, device=options.device, jobs=options.jobs)
