"""``medad train``: from a data set to a run folder with a fitted detector."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from medad.detectors.contract.detector import Detector
from medad.detectors.features.detector import FeatureDetector
from medad.detectors.features.extractors.registry import read_extractor
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.training.phase_store import PhaseStore
from medad.training.run_folder import RUN_FILE, claimed_run, read_run, update_run
from medad.training.workspace import CHECKPOINT_FOLDER, clear_workspace
from medad.workflows.controls import keep_controls
from medad.workflows.notes import say
from medad.workflows.options import MACHINE, RUNS, TrainOptions
from medad.workflows.provenance import versions
from medad.workflows.scale import normal_scale
from medad.workflows.splits import Splits, data_name, learned_from, read_splits


def train(
    data: Path,
    options: TrainOptions,
    *,
    out: Path | None = None,
    split: Path | None = None,
    resume: bool = False,
) -> Path:
    """Fit a detector on the normal and unlabeled images of `data`.

    Parameters
    ----------
    data : Path
        Folder of the data set, or its split file.
    options : TrainOptions
        Method, recipe and machine.
    out : Path, optional
        Run folder; ``runs/DATA-METHOD`` by default.
    split : Path, optional
        Split file to use instead of the folder's own.
    resume : bool
        Go on with the run that `out` holds; a finished one is left as it is.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    UserError
        If the data, an option or the folder do not allow it.
    """
    out, detector = out or run_folder(data, options), ready_detector(options)
    with claimed_run(out, resume):
        fit(detector, read_splits(data, split, options), data_name(data), options, out, resume)
    return out


def run_folder(data: Path, options: TrainOptions) -> Path:
    """Return where the run lies unless the user says otherwise."""
    return RUNS / f"{data_name(data)}-{options.method}"


def detector_of(options: TrainOptions) -> Detector:
    """Return the detector that `options` describe, not fitted; raises UserError where they do not fit each other."""
    return make_detector(
        options.method,
        options.preset,
        seed=options.seed,
        precision=options.precision,
        device=options.device,
        jobs=options.jobs,
        **options.detector_options(),
    )


def ready_detector(options: TrainOptions) -> Detector:
    """Return the same, and raise also where weights or textures that it needs cannot be had: before images are read."""
    detector = detector_of(options)
    detector.options.of_training()  # tells files by what they hold
    if isinstance(detector, FeatureDetector):
        read_extractor(detector.options.extractor, detector.options.weights)
    return detector


def detector_on_all(options: TrainOptions) -> Detector:
    """Return the detector that `options` describe, untrained; it holds no normal image out for a threshold."""
    return detector_of(replace(options, options=options.options | {"holdout": 0.0}))


def fit(
    detector: Detector,
    splits: Splits,
    name: str,
    options: TrainOptions,
    out: Path,
    resume: bool,
    store: PhaseStore | None = None,
) -> None:
    """Fit `detector` on images that were read and complete the run folder `out`; a finished one is left alone.

    Parameters
    ----------
    detector : Detector
        From :func:`detector_of`.
    splits : Splits
        The images.
    name : str
        Name of the data set.
    options, out, resume
        See :func:`train`; `out` is claimed.
    store : PhaseStore, optional
        Networks that several runs have in common.

    Raises
    ------
    UserError
        If `out` holds a run with other options or images, or the images do not allow training.
    """
    described = {"name": name} | splits.describe()
    if resume and is_finished(out):
        _check_same(out, "finished", read_run(out), options, described)
        clear_workspace(out / CHECKPOINT_FOLDER)  # a kill may have left it
        say(f"{out}: training is finished already")
        return
    unlabeled = splits.unlabeled.unlabelled() if splits.unlabeled else None

    def begin(work: Path) -> None:
        _agree(out, work, options, described)

    detector.fit(splits.normal.unlabelled(), unlabeled, folder=out, resume=resume, store=store, begin=begin)
    detector.save(out)
    keep_controls(out, splits, options.seed)
    update_run(
        out,
        data=_with_use(described, detector.images_),
        versions=versions(detector.device),
        map_scale=normal_scale(detector, splits.normal),
        timings=detector.timings_,
        intensity={"rule": detector.options.intensity, "applied": splits.intensities},
        config=asdict(options),  # the last section: a run that has it is finished
    )
    clear_workspace(out / CHECKPOINT_FOLDER)


def _with_use(described: dict[str, Any], images: dict[str, int]) -> dict[str, Any]:
    """Add to the counts of the images given what became of them."""
    use = {"normal": {"trained": images["trained"], "held_out": images["held_out"]}}
    if "unlabeled" in described:
        use["unlabeled"] = {"used": images["unlabeled"]}
    return described | {name: described[name] | more for name, more in use.items()}


def is_finished(run: Path) -> bool:
    """Return whether training in the folder `run` came to its end."""
    return (run / RUN_FILE).exists() and "config" in read_run(run)


def _agree(out: Path, work: Path, options: TrainOptions, described: dict[str, Any]) -> None:
    """Note beside the state of training what was asked for; refuse to go on with anything else.

    Where nothing has been trained yet, anything may be asked for; training that an earlier version began has no note.
    """
    if not any(work.glob("*.safetensors")):
        update_run(work, config=asdict(options), data=described)
    elif (work / RUN_FILE).exists():
        _check_same(out, "begun", read_run(work), options, described)


def _check_same(out: Path, state: str, run: dict[str, Any], options: TrainOptions, described: dict[str, Any]) -> None:
    """Refuse to take a run, finished or begun, for one with other options or other training images."""
    was, wanted = _asked(run["config"]), _asked(asdict(options))
    for name in wanted | was:
        if was.get(name) != wanted.get(name):
            old = was.get(name)
            told = f"without `{name}`; resume without it" if old is None else f"with `{name}` {old}; resume with that"
            raise UserError(f"{out}: {state} {told}, or use another `out`")
    if not learned_from(described, run["data"]):
        raise UserError(f"{out}: {state} with other training images; use another `out`")


def _asked(config: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked for, but for the machine; options of the method as ``options.NAME``."""
    plain = {name: value for name, value in config.items() if name not in (*MACHINE, "options")}
    return plain | {f"options.{name}": value for name, value in (config.get("options") or {}).items()}
