"""From files to figures and a saved run, in a script or a notebook: what `import medad` offers beside its classes."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from medad.data.given import Images, as_images
from medad.data.imageset import ImageSet
from medad.data.intensity import DEFAULT
from medad.detectors.contract.detector import Detector
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.evaluation.controls import Controls, control_figures
from medad.evaluation.scores import ScoreTable
from medad.evaluation.summary import summarise
from medad.training.run_folder import claimed_run
from medad.workflows import scoring, train
from medad.workflows.options import Preset, TrainOptions
from medad.workflows.splits import Splits, load, read_splits

DATA_NAME = "given in Python"  # the name of the data set in the run.yaml of fit


class Data(NamedTuple):
    """What :func:`read_data` returns; a split that the data set does not have is None."""

    normal: ImageSet
    unlabeled: ImageSet | None
    test: ImageSet | None


def read_data(
    data: str | Path,
    size: int = 64,
    channels: Literal[1, 3] = 1,
    *,
    split: str | Path | None = None,
    anomaly_rate: float = 0.6,
    unlabeled_size: int | None = None,
    fit: Literal["stretch", "pad", "crop"] = "stretch",
    intensity: str = DEFAULT,
    jobs: int | None = None,
) -> Data:
    """Read the images of a data set, the same that ``medad run`` takes.

    Parameters
    ----------
    data : path
        Folder of the data set, or its split file: a ``data.json``, a ``manifest.csv``, folders as those of MVTec AD,
        or ``normal/``, ``unlabeled/``, ``test/normal/`` and ``test/abnormal/``.
    size, channels : int
        Side in pixels to which images are resized; 1 reads them as grey, 3 as RGB.
    split : path, optional
        Split file to use instead of the folder's own.
    anomaly_rate : float
        Share of abnormal images among the unlabeled ones that are drawn, where their labels are known.
    unlabeled_size : int, optional
        How many unlabeled images to draw; by default as many as there can be at the anomaly rate.
    fit : {'stretch', 'pad', 'crop'}
        What becomes of images that are not square: stretched, given black margins, cropped to their middle.
    intensity : str
        Which value becomes black and which white: ``"dtype"``, ``"file"``, ``"window LO HI"``,
        ``"percentile P Q"`` or ``"dicom"``, see :class:`medad.data.intensity.Intensity`.
    jobs : int, optional
        Number of threads; None takes one per core.

    Returns
    -------
    Data
        ``normal``, ``unlabeled`` and ``test``, in this order; the last two are None where there are none.

    Raises
    ------
    UserError
        If there is no such data set, it has no normal images, or one cannot be read.
    """
    options = TrainOptions(
        size=size,
        channels=channels,
        fit=fit,
        intensity=intensity,
        anomaly_rate=anomaly_rate,
        unlabeled_size=unlabeled_size,
        jobs=jobs,
    )
    found = read_splits(Path(data), None if split is None else Path(split), options)
    test = load(found.test, options.preprocessing, "test images", jobs) if found.test else None
    return Data(found.normal, found.unlabeled, test)


def fit(
    normal: Images,
    unlabeled: Images | None = None,
    method: str = "ddad",
    preset: str = "standard",
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    precision: Literal["fp32", "tf32", "bf16"] = "fp32",
    device: str = "auto",
    jobs: int | None = None,
    **options: Any,
) -> Detector:
    """Train a method on normal and, if it can use them, unlabeled images; labels are never looked at.

    Parameters
    ----------
    normal, unlabeled : ImageSet, array or list of files
        An array is ``uint8`` or ``uint16``, (n, H, W) or (n, C, H, W). Files are read at the size that `options`
        say, 64 by default.
    method : str
        ``medad methods`` lists them.
    preset : {'standard', 'paper', 'quick', 'tiny'}
        The recipe to start from: standard holds out a tenth of the normal images for a threshold, paper follows the
        paper, quick is for a first look and tiny for tests.
    folder : path, optional
        A run folder for :func:`load` and for the commands ``medad evaluate`` and ``medad predict``. What has been
        trained is kept in there, too, so that a training that was stopped can go on. Without it nothing is written;
        the detector has a method ``save``.
    resume : bool
        Whether to go on with the training in `folder`; one that is finished is returned as it is.
    seed : int
        All that is random comes from it.
    precision : {'fp32', 'tf32', 'bf16'}
        Precision of training.
    device : str
        ``"auto"`` (CUDA when there), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    jobs : int, optional
        Number of processes; all cores by default. The result does not depend on it.
    **options
        Options of the method, such as ``backbone="aeu"`` or ``epochs=100``. ``size`` and ``channels`` are those of
        the images where these are arrays or image sets.

    Returns
    -------
    Detector
        Fitted.

    Raises
    ------
    UserError
        If the images or an option do not allow training, or `folder` holds a run and `resume` is false.
    """
    options = _shape(normal) | options
    machine = {"seed": seed, "precision": precision, "device": device, "jobs": jobs}
    detector = make_detector(method, preset, **machine, **options)  # type: ignore[arg-type]
    if folder is None:
        return detector.fit(normal, unlabeled)
    named = {field.name for field in fields(TrainOptions)} & options.keys()
    asked = TrainOptions(
        method,
        preset=cast(Preset, preset),
        **machine,  # type: ignore[arg-type]
        **{name: options[name] for name in named},
        options={name: value for name, value in options.items() if name not in named},
    )
    given = [None if images is None else _read(detector, images) for images in (normal, unlabeled)]
    with claimed_run(Path(folder), resume):
        train.fit(detector, Splits(cast(ImageSet, given[0]), given[1], ()), DATA_NAME, asked, Path(folder), resume)
    return load_detector(folder, device=device, jobs=jobs)


def score(detector: Detector, images: Images) -> ScoreTable:
    """Score images.

    Parameters
    ----------
    detector : Detector
        Fitted.
    images : ImageSet, array or list of files
        What is known about them goes into the table, never to the detector.

    Returns
    -------
    ScoreTable
        A row for each image, in the order of `images`: all scores of the method (``columns``), ``pred_score`` among
        them, and ``pred_label`` where the detector has a threshold. Higher is more abnormal.

    Raises
    ------
    UserError
        For images of another kind or size than the detector's.
    """
    return scoring.score(detector, _read(detector, images))


def controls(normal: ImageSet, unlabeled: ImageSet | None, test: ImageSet, seed: int = 0) -> ScoreTable:
    """Score images by what sees no pathology: brightness, texture, size of the file, small pictures.

    A method that is no better than these has not shown that it sees disease.

    Parameters
    ----------
    normal, unlabeled : ImageSet
        What the method learned from.
    test : ImageSet
        What is scored.
    seed : int
        Of the folds of the regressions of normal against unlabeled images.

    Returns
    -------
    ScoreTable
        A row for each image of `test`; higher is more abnormal.
    """
    fitted = Controls.fit(normal.unlabelled(), None if unlabeled is None else unlabeled.unlabelled(), seed)
    return fitted.table(test)


def evaluate(
    scores: ScoreTable,
    controls: ScoreTable | None = None,
    *,
    masks: np.ndarray | None = None,
    maps: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Compute every figure that medad reports, each with its 95 % interval.

    Parameters
    ----------
    scores : ScoreTable
        Of images with labels, see :func:`score`. No interval takes the images of a patient for independent.
    controls : ScoreTable, optional
        See :func:`controls`.
    masks : ndarray, optional
        (n, H, W) ``bool``: abnormal pixels; with `maps` they give the figures of pixels.
    maps : mapping of str to ndarray, optional
        (n, H, W) anomaly maps by name.

    Returns
    -------
    dict
        What ``metrics.json`` holds, shares between 0 and 1: ``["image"][SCORE]["auroc"]`` and its interval
        ``["auroc_ci"]``, ``ap`` and ``chi2`` likewise; ``kinds``, ``pixel``, ``decision`` (sensitivity and
        specificity of the detector's threshold), ``controls`` and ``n``. None is what is not defined.

    Raises
    ------
    UserError
        For scores without labels.
    MedadError
        If a score or a map is not finite.
    """
    if scores.gt_label is None:
        raise UserError("the scores have no labels (gt_label): figures need images that are known to be (ab)normal")
    figures = summarise(scores, masks=masks, maps=maps)
    return figures | ({} if controls is None else {"controls": control_figures(controls)})


def _shape(images: Images) -> dict[str, Any]:
    """Return the options that images in memory settle."""
    pixels = images.pixels if isinstance(images, ImageSet) else images
    if not isinstance(pixels, np.ndarray) or pixels.ndim not in (3, 4):
        return {}
    return {"size": pixels.shape[-1], "channels": pixels.shape[1] if pixels.ndim == 4 else 1}


def _read(detector: Detector, images: Images) -> ImageSet:
    return as_images(images, detector.options.preprocessing, detector.jobs)
