"""``medad predict``: a ranked list and heat maps of new images."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector
from medad.ownership import claimed
from medad.training.run_folder import read_run
from medad.workflows.decoding import decode_ahead
from medad.workflows.findings import CHUNK, PREDICT, Findings
from medad.workflows.heatmaps import draw_pictures
from medad.workflows.inputs import find_inputs
from medad.workflows.notes import say
from medad.workflows.promise import Promise
from medad.workflows.scale import colour_scale
from medad.workflows.scoring import score_with_map
from medad.workflows.worklist import names_of, tell, write_page


def predict(
    run: Path,
    inputs: Sequence[Path],
    out: Path,
    *,
    calibration: str | None = None,
    false_alarms: float | None = None,
    by: str | None = None,
    precision: str = "fp32",
    device: str = "auto",
    jobs: int | None = None,
) -> int:
    """Score images without labels, draw their heat maps, and go on past files that cannot be read.

    The next images are decoded while some are scored and drawn. What was found is written now and then and
    in the end, whatever ends it, so that little is lost when it is stopped or killed.

    Parameters
    ----------
    run : Path
        Run folder.
    inputs : sequence of Path
        Image files, and folders that are searched for them, but for what earlier predictions wrote.
    out : Path
        Where ``scores.csv`` (the most abnormal first), ``worklist.html`` with its pictures in
        ``worklist``, ``heatmaps/ID.png`` at native size, ``contact_sheet.png`` and, if there is any,
        ``failed.csv`` go; those of an earlier prediction are removed, all else stays.
    calibration : str, optional
        Name of the set of normal images, see :func:`medad.workflows.calibrate.calibrate`, on which images are called
        abnormal; by default those held out from training.
    false_alarms : float, optional
        Share of normal images that may be called abnormal; by default that of the run's own threshold, 0.05.
    by : str, optional
        ``"view"`` or ``"manufacturer"``: images are judged by those of `calibration` that share it.
    precision : str
        ``"fp32"``, or ``"bf16"`` for the networks' passes: faster, and each score a little different.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    int
        Number of files that could not be read.

    Raises
    ------
    UserError
        If the run, the inputs or the folder do not allow it.
    MedadError
        If a score is not finite.
    """
    detector = load_detector(run, scoring_precision=precision, device=device, jobs=jobs)
    promise = Promise.of_run(run, detector, calibration, false_alarms, by)
    promise.decide(detector)
    scale = read_run(run).get("map_scale")
    entries = find_inputs(inputs)
    preprocessing = detector.options.preprocessing
    with claimed(out, PREDICT, names_of(entries), clear=True):
        found = Findings(out)
        try:
            with closing(decode_ahead(entries, preprocessing, CHUNK, jobs)) as chunks:
                for number, loaded in enumerate(chunks):
                    if len(entries) > CHUNK:
                        say(f"images from {number * CHUNK + 1} on, of {len(entries)}")
                    for note in loaded.notes:
                        say(note)
                    found.failures += loaded.failures
                    if len(loaded.images):
                        for note in promise.known_among(loaded.images.pixels):
                            say(note)
                        maps = _score(detector, loaded.images, found, promise)
                        found.write_if_due()
                        scale = scale or (None if maps is None else colour_scale(maps))
                        found.failures += draw_pictures(loaded.images, maps, scale, preprocessing, out, jobs)
        finally:
            found.write()
            write_page(found, entries, run, detector, promise, scale)
        tell(found)
    return len(found.failures)


def _score(detector: Detector, images: ImageSet, found: Findings, promise: Promise) -> np.ndarray | None:
    """Add the scores to those found and return the anomaly maps (n, S, S), None for a method without maps."""
    table, maps = score_with_map(detector, images)
    found.tables.append(promise.judged(table, images.groups))
    return maps
