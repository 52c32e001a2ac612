"""``medad run``: train, evaluate and report in one go."""

from pathlib import Path

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.training.phase_store import PhaseStore
from medad.training.run_folder import claimed_run
from medad.workflows.evaluate import OF_RESULTS, write_results
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions
from medad.workflows.splits import Splits, data_name, load, read_splits
from medad.workflows.train import fit, ready_detector, run_folder


def run(
    data: Path,
    options: TrainOptions,
    *,
    out: Path | None = None,
    split: Path | None = None,
    resume: bool = False,
    store: PhaseStore | None = None,
) -> Path:
    """Fit a detector on `data`, score its test images, and put the results into the run folder.

    Where there are no test images, the unlabeled ones that it learned from are scored, and the report tells
    no accuracy. Parameters are those of :func:`medad.workflows.train.fit` and of ``train`` beside it.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    UserError
        If the data, an option or the folder do not allow it; all images are read before training starts.
    """
    out, detector = out or run_folder(data, options), ready_detector(options)
    with claimed_run(out, resume, OF_RESULTS):
        return run_in(out, detector, data, options, split, resume, store)


def run_in(
    out: Path,
    detector: Detector,
    data: Path,
    options: TrainOptions,
    split: Path | None = None,
    resume: bool = False,
    store: PhaseStore | None = None,
) -> Path:
    """Do what :func:`run` does in a folder that is claimed already, with the detector that `options` describe."""
    name = data_name(data)
    splits = read_splits(data, split, options)
    images = _to_score(splits, options, split or data)
    fit(detector, splits, name, options, out, resume, store)
    detector = load_detector(out, device=options.device, jobs=options.jobs)
    return write_results(detector, images, name, run=out, out=out)


def _to_score(splits: Splits, options: TrainOptions, source: Path) -> ImageSet:
    if splits.test:
        return load(splits.test, options.preprocessing, "test images", options.jobs)
    if splits.unlabeled is None:
        raise UserError(f"{source}: neither test nor unlabeled images to score; list some, or use medad train")
    say("no test images: the unlabeled images themselves are scored, and no accuracy is told")
    return splits.unlabeled.unlabelled()
