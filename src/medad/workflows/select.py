"""``medad select``: which method suits a data set, chosen without a label."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition
from medad.detectors.features.descriptors import DescriptorDetector
from medad.detectors.registry import METHODS, method_info
from medad.errors import OptionError
from medad.evaluation.controls import CONTROLS
from medad.evaluation.selection import RULE, Judged, chosen, judge
from medad.files import replacing
from medad.reports.select import Choice, write_page
from medad.training.run_folder import claimed_run
from medad.version import __version__
from medad.workflows.crossfit import Pools, held_out_scores
from medad.workflows.learning import describe_ahead, learn_controls, learn_method, learn_snapshots
from medad.workflows.notes import say
from medad.workflows.options import RUNS, TrainOptions
from medad.workflows.splits import Splits, data_name, load_training, read_blind
from medad.workflows.train import detector_of, fit, ready_detector

PAGE, RECORD = "select.html", "select.json"


@dataclass(frozen=True)
class Found:
    """Scores of images that no model had seen, of methods or lengths of training and of trivial controls."""

    unlabeled: np.ndarray
    patients: Sequence[str] | None
    scores: dict[str, np.ndarray]
    controls: dict[str, np.ndarray]
    seconds: dict[str, float]

    @property
    def winner(self) -> str:
        """The name that the rule chooses."""
        return chosen(self.unlabeled, self.scores)

    def judged(self) -> dict[str, Judged]:
        """Return the figures of all, beside the winner's."""
        return judge(self.unlabeled, self.scores | self.controls, self.scores[self.winner], self.patients)


def select(
    data: Path,
    options: TrainOptions,
    *,
    methods: Sequence[str] | None = None,
    epochs: str | None = None,
    out: Path | None = None,
    split: Path | None = None,
) -> Path:
    """Choose a method, or its number of epochs, by how well it tells held-out unlabeled from held-out normal images.

    No label of an unlabeled image is looked at, and test images are not read. The winner is trained on all normal and
    unlabeled images.

    Parameters
    ----------
    data : Path
        Folder of the data set, or its split file.
    options : TrainOptions
        All but the method.
    methods : sequence of str, optional
        The shortlist, the simplest first; :func:`shortlist` by default.
    epochs : str, optional
        Numbers of epochs, such as ``"10,20,50"``: the one method is trained once, on four fifths of the images, and
        judged after each of these.
    out : Path, optional
        Run folder of the winner, with ``select.html`` and ``select.json``; ``runs/DATA-select`` by default.
    split : Path, optional
        Split file to use instead of the folder's own.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    UserError
        If the data, an option or the folder do not allow it.
    """
    lengths = None if epochs is None else _lengths(epochs, methods)
    candidates = candidates_of(options, methods)
    out = out or RUNS / f"{data_name(data)}-select"
    with claimed_run(out, False, (PAGE, RECORD)):
        who = read_blind(data, split)
        read = cache(lambda how: _read(who, candidates, how))
        if lengths is None:
            found = judged_methods(candidates, lambda one: read(one.preprocessing))
            options = candidates[found.winner]
        else:
            (one,) = candidates.values()
            found = judged_lengths(one, lengths, read(one.preprocessing))
            options = with_epochs(one, int(found.winner.split()[0]))
        choice = _choice(data_name(data), found, options)
        for line in choice.warnings:
            say(line)
        detector, splits = detector_of(options), read(options.preprocessing)
        fit(detector, splits, data_name(data), options, out, resume=False)
        _write(out, choice)
    print(_table(choice), f"chosen: {choice.winner}; the run is {out}", sep="\n", flush=True)
    return out


def shortlist() -> list[str]:
    """Return the quick methods in the order of the registry: those that look at one descriptor of an image."""
    return [name for name, info in METHODS.items() if issubclass(info.load(), DescriptorDetector)]


def candidates_of(options: TrainOptions, methods: Sequence[str] | None = None) -> dict[str, TrainOptions]:
    """Return the options of every method of a shortlist, by default :func:`shortlist`.

    Raises
    ------
    UserError
        If there is no such method, an option does not fit one, or its weights cannot be had.
    """
    usual = options.size == TrainOptions().size
    try:
        infos = [method_info(name) for name in methods or shortlist()]
    except OptionError as error:
        raise OptionError("methods", error.fault, *error.value) from None
    sizes = {info.name: info.side(options.preset) if usual else options.size for info in infos}
    candidates = {name: replace(options, method=name, size=size) for name, size in sizes.items()}
    for one in candidates.values():
        ready_detector(one)
    return candidates


def judged_methods(candidates: Mapping[str, TrainOptions], read: Any) -> Found:
    """Cross-fit every method, and the trivial controls, in the same five folds.

    Parameters
    ----------
    candidates : mapping of str to TrainOptions
        By name, at least one.
    read : callable
        Returns the images, :class:`medad.workflows.splits.Splits`, for options.
    """
    scores, seconds = {}, {}
    for name, options in candidates.items():
        pools = _pools(read(options))
        folds = pools.folds(options.seed)
        describe_ahead(options, pools.normal, pools.unlabeled)
        found, seconds[name] = held_out_scores(pools, folds, learn_method(options))
        scores[name] = found["pred_score"]
        say(f"{name}: {seconds[name]:.1f} s to learn from four fifths of the images and score the others")
    controls, _ = held_out_scores(pools, folds, learn_controls(options.seed))
    return _found(pools, np.concatenate([test for _, test in folds]), scores, controls, seconds)


def judged_lengths(options: TrainOptions, lengths: Sequence[int], splits: Splits) -> Found:
    """Train a method once, on four fifths of the images, and judge it after each of `lengths` epochs."""
    pools = _pools(splits)
    fold = pools.folds(options.seed)[:1]
    scores, _ = held_out_scores(pools, fold, learn_snapshots(with_epochs(options, max(lengths)), lengths))
    controls, _ = held_out_scores(pools, fold, learn_controls(options.seed))
    return _found(pools, fold[0][1], {f"{n} epochs": scores[str(n)] for n in lengths}, controls, {})


def with_epochs(options: TrainOptions, epochs: int) -> TrainOptions:
    """Return the options of a training of so many epochs, however many images there are."""
    return replace(options, options=options.options | {"epochs": epochs, "steps": None, "most_images": None})


def _found(
    pools: Pools,
    rows: np.ndarray,
    scores: dict[str, np.ndarray],
    controls: dict[str, np.ndarray],
    seconds: dict[str, float],
) -> Found:
    patients = None if pools.patients is None else [pools.patients[i] for i in rows]
    named = {name: controls[name] for name in CONTROLS if name in controls}
    return Found(pools.unlabeled_labels[rows], patients, scores, named, seconds)


def _pools(splits: Splits) -> Pools:
    assert splits.unlabeled is not None
    return Pools(splits.normal.unlabelled(), splits.unlabeled.unlabelled())


def _read(who: Repartition, candidates: Mapping[str, TrainOptions], how: Preprocessing) -> Splits:
    return load_training(who, next(one for one in candidates.values() if one.preprocessing == how))


def _lengths(epochs: str, methods: Sequence[str] | None) -> list[int]:
    try:
        lengths = sorted({int(word) for word in epochs.split(",")})
    except ValueError:
        lengths = []
    if not lengths or lengths[0] < 1:
        raise OptionError("epochs", "give whole numbers with commas between them, such as 10,20,50", epochs)
    if len(set(methods or ())) != 1:
        raise OptionError("methods", "name the one method of which numbers of epochs are compared")
    return lengths


def _choice(data: str, found: Found, options: TrainOptions) -> Choice:
    judged = found.judged()
    sizes = {"normal": int((found.unlabeled == 0).sum()), "unlabeled": int((found.unlabeled == 1).sum())}
    return Choice(
        data=data,
        images=sizes,
        winner=found.winner,
        methods={name: judged[name] for name in found.scores},
        controls={name: judged[name] for name in found.controls},
        seconds=found.seconds,
        settings={"method": options.method, "preset": options.preset, "size": options.size, "seed": options.seed},
    )


def _write(out: Path, choice: Choice) -> None:
    record: dict[str, Any] = {"medad": __version__, "rule": RULE} | asdict(choice) | {"warnings": list(choice.warnings)}
    with replacing(out / RECORD) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_page(out / PAGE, choice)


def _table(choice: Choice) -> str:
    rows = sorted(choice.methods.items(), key=lambda item: -item[1].auc_u)
    top = max(choice.controls.items(), key=lambda item: item[1].auc_u)
    lines = [f"{'':24} {'AUC_u':>6} {'95 % interval':>16}"]
    lines += [f"{name:24} {j.auc_u:6.3f} {f'{j.low:.3f} to {j.high:.3f}':>16}" for name, j in (*rows, top)]
    return "\n".join([*lines[:-1], f"{lines[-1]}  (the best trivial control)"])
