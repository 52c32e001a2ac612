"""``medad rank``: an archive sorted by what tells its images from known normal ones."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.seen import digests_of
from medad.detectors.unlabeled.out_of_fold import OutOfFoldDetector
from medad.errors import UserError
from medad.ownership import claimed
from medad.training.run_folder import OF_TRAINING, read_run
from medad.workflows.archive import Archive, read_archive
from medad.workflows.auc_u import auc_u_of, nothing_to_learn, told
from medad.workflows.findings import CHUNK, FAILED, RANK, Findings
from medad.workflows.heatmaps import draw_pictures
from medad.workflows.inputs import find_inputs
from medad.workflows.mixing import check_can_hide
from medad.workflows.notes import say
from medad.workflows.options import TrainOptions, at_least
from medad.workflows.ranking import Ranking
from medad.workflows.scoring import ranked, score_with_map, scores_alone
from medad.workflows.train import fit, ready_detector
from medad.workflows.worklist import names_of, tell, write_page

RUN = "run"
PIXELS = tuple(f"{name}{wide}.npy" for name in ("archive", "normal", "mixed") for wide in ("", ".wide"))
WHILE_IT_WORKS = (*PIXELS, "new.npy")
HEATMAPS = 100


def rank(
    archive: Sequence[Path],
    normal: Sequence[Path],
    out: Path,
    options: TrainOptions,
    *,
    heatmaps: int = HEATMAPS,
    adadetect: bool = False,
) -> int:
    """Learn what tells the images of an archive from normal ones, and sort the archive by it.

    The archive itself is the unlabeled set. Methods that learn in folds, as ``nu`` does, score each of its images by a
    model that has not seen it. Files that cannot be read are listed and passed over.

    Parameters
    ----------
    archive, normal : sequence of Path
        Image files, and folders that are searched for them, but for what earlier calls wrote.
    out : Path
        Where what :func:`medad.workflows.predict.predict` writes goes, heat maps of the first images alone, and the
        run in ``run``; what an earlier ranking wrote there is removed, all else stays.
    options : TrainOptions
        Method, recipe and machine.
    heatmaps : int
        Number of images, the most abnormal ones, of which pictures are drawn.
    adadetect : bool
        Whether half of the normal images are hidden in the archive, on which p- and q-values then rest.

    Returns
    -------
    int
        Number of files that could not be read.

    Raises
    ------
    UserError
        If an input, an option or the folder does not allow it, or no normal image can be read.
    MedadError
        If a score is not finite.
    """
    at_least("heatmaps", heatmaps, 0)
    detector = ready_detector(options)
    if adadetect:
        check_can_hide(detector)
    entries, normals = find_inputs(archive), find_inputs(normal)
    names = [*names_of(entries), *WHILE_IT_WORKS, *(f"{RUN}/{name}" for name in OF_TRAINING)]
    with claimed(out, RANK, names, clear=True):
        found = Findings(out)
        try:
            images = _read(entries, normals, options, found)
            if images is not None:
                images = images.hiding(options.seed) if adadetect else images
                _rank(images, detector, entries, options, found, heatmaps)
        finally:
            found.write()
            for name in WHILE_IT_WORKS:
                (out / name).unlink(missing_ok=True)
        tell(found, f"those of the first {heatmaps}")
        if found.tables:
            say(f"more images of this kind: medad predict {out / RUN} IMAGES --out FOLDER")
    return len(found.failures)


def _read(entries: Sequence[Entry], normals: Sequence[Entry], options: TrainOptions, found: Findings) -> Ranking | None:
    """Read both pools; None where nothing of the archive can be read."""

    def read(some: Sequence[Entry], name: str) -> Archive:
        pool = read_archive(some, options.preprocessing, found.out / f"{name}.npy", f"{name} images", options.jobs)
        found.failures += pool.failures
        say(f"{name} images: {0 if pool.images is None else len(pool.images)}")
        return pool

    normal = read(normals, "normal")
    if normal.images is None:
        raise UserError(f"{normals[0].path.parent}: no normal image can be read; why, says {found.out / FAILED}")
    archive = read(entries, "archive")
    if archive.images is None:
        return None
    known = digests_of(normal.images.pixels).numpy()
    copies = np.isin(digests_of(archive.images.pixels).numpy(), known)
    intensities = {"normal": dict(normal.intensities), "unlabeled": dict(archive.intensities)}
    return Ranking(archive.images, normal.images, copies, intensities)


def _rank(
    images: Ranking,
    detector: Detector,
    entries: Sequence[Entry],
    options: TrainOptions,
    found: Findings,
    heatmaps: int,
) -> None:
    """Fit, score, write the list, and draw the first of it."""
    run = found.out / RUN
    splits = images.splits(found.out)
    fit(detector, splits, Path(entries[0].path).parent.name, options, run, resume=False)
    about = list(_about(detector, images))
    for line in about:
        say(line)
    promise = images.promise(run, detector)
    promise.decide(detector)
    found.tables.append(promise.judged(scores_alone(detector, images.archive)))
    found.write()
    scale = read_run(run)["map_scale"]
    try:
        _draw(images.archive, detector, scale, options, found, heatmaps)
    finally:
        undrawn = f"not drawn: only the first {heatmaps} are (--heatmaps)"
        write_page(found, entries, run, detector, promise, scale, about, undrawn)


def _draw(
    archive: ImageSet,
    detector: Detector,
    scale: Sequence[float] | None,
    options: TrainOptions,
    found: Findings,
    heatmaps: int,
) -> None:
    """Draw the first images of the list, some at a time."""
    place = {name: i for i, name in enumerate(archive.ids)}
    first = [place[name] for name in ranked(found.table).image_path[:heatmaps]]
    for start in range(0, len(first), CHUNK):
        part = archive.subset(first[start : start + CHUNK])
        _, maps = score_with_map(detector, part)
        found.failures += draw_pictures(part, maps, scale, options.preprocessing, found.out, options.jobs)


def _about(detector: Detector, images: Ranking) -> Iterator[str]:
    """Say what the order rests on."""
    figures = auc_u_of(detector)
    if figures:
        yield told(figures)
        if images.hidden is not None:
            yield f"{len(images.hidden)} normal images are hidden in the archive, so the figure is lower than without."
        if nothing_to_learn(figures):
            yield "With nothing to learn, the order says little: the list is not one of the abnormal images."
    elif not detector.uses_unlabeled:
        yield f"{detector.name} learns from the normal images alone: the score is how far an image is from them."
    elif detector.has_unlabeled_ and not isinstance(detector, OutOfFoldDetector):
        yield (
            f"{detector.name} has learned from the images of the archive that it scores here, and may know some by "
            "heart. Method nu scores each by a model that has not seen it."
        )
    else:
        yield (
            "Too few images to learn what tells the archive from the normal images, or all of it is among them: there "
            "is nothing to learn, and the score is how far an image is from the normal ones."
        )
    if images.copies.any():
        yield (
            f"{images.copies.sum()} of the {len(images.archive)} images of the archive are among the normal ones, the "
            "same picture: they are in the list, but were not learned from as images that may be abnormal."
        )
