"""Normal images hidden in an archive, so that what is promised of its list holds whatever was learned (AdaDetect)."""

from dataclasses import replace
from pathlib import Path

from medad.data.imageset import ImageSet
from medad.data.pixel_file import PixelFile
from medad.data.rows import ROWS_AT_ONCE
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.holdout import split_holdout
from medad.detectors.unlabeled.out_of_fold import OutOfFoldDetector
from medad.errors import OptionError, UserError
from medad.evaluation.promises.false_alarms import false_alarms, images_needed
from medad.workflows.archive import joined
from medad.workflows.promise import USUAL, Promise

SHARE = 0.5  # of the normal images: the more, the longer a list can be, and the less is learned
AMONG = "hidden among the images of the archive"
MIXED = "mixed.npy"


def check_can_hide(detector: Detector) -> None:
    """Refuse a method that knows images that it has learned from.

    Raises
    ------
    OptionError
        If it does not learn in folds.
    """
    if not isinstance(detector, OutOfFoldDetector):
        raise OptionError("adadetect", f"takes a method that learns in folds, such as nu; {detector.name} does not")


def divided(normal: ImageSet, seed: int) -> tuple[ImageSet, ImageSet]:
    """Return normal images to learn from, and others to hide; a patient's are together.

    Raises
    ------
    UserError
        If there are too few to hide.
    """
    learned, hidden = split_holdout(normal, SHARE, seed)
    if hidden is None or len(hidden) < images_needed(USUAL):
        least = round(images_needed(USUAL) / SHARE)
        raise UserError(f"{len(normal)} normal images are too few for --adadetect, which hides half; give {least}")
    return learned, hidden


def mixed(archive: ImageSet, hidden: ImageSet, folder: Path) -> ImageSet:
    """Return the images of an archive and the hidden normal ones as one unlabeled set, in a file in `folder`.

    The method is not told which are which. Each is scored by a model that has not seen it, and the folds do not depend
    on who is normal: so the hidden images and the normal ones of the archive are exchangeable, and the share of hidden
    images that reach a score is a p-value (Marandon, Lei, Mary, Roquain, Annals of Statistics 2024).
    """
    pixels = PixelFile(folder / MIXED)
    for part in (archive, hidden):
        for start in range(0, len(part), ROWS_AT_ONCE):
            pixels.add(part.pixels[start : start + ROWS_AT_ONCE])
    apart = replace(hidden, ids=tuple(f"hidden/{name}" for name in hidden.ids))
    return joined([archive, apart], pixels.pixels())


def promise_on(detector: Detector, hidden: ImageSet) -> Promise:
    """Return what the hidden images promise about those among which they were."""
    scores = detector.scores(hidden.unlabelled())["pred_score"]
    alarms = false_alarms(scores, USUAL)
    return Promise(scores, alarms.threshold, alarms, source=AMONG)
