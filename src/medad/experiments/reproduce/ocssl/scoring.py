"""Fitting the methods of the table and scoring the test images."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from medad.data.imageset import ImageSet
from medad.data.intensity import DEFAULT
from medad.detectors.registry import METHODS, make_detector
from medad.evaluation.controls import Controls
from medad.experiments.reproduce.ocssl.rows import Row
from medad.experiments.reproduce.ocssl.settings import Given, Setting, read_setting
from medad.experiments.reproduce.ocssl.stored import CONTROLS, FOLDER, read_about, write_images, write_row
from medad.workflows.notes import say
from medad.workflows.provenance import versions

SIZE_OF_CONTROLS = 64


def compute(settings: Sequence[Setting], rows: Sequence[Row], data: Path, out: Path, jobs: int | None = None) -> None:
    """Compute what is not stored below ``out/ocssl``, row by row; each is written as soon as it is there.

    Parameters
    ----------
    settings, rows
        What is asked for.
    data : Path
        Folder of data sets; settings whose data set is not there are left out, and said.
    out : Path
        Root of the results.
    jobs : int, optional
        Processes; all cores by default.
    """
    for setting in settings:
        if not (data / setting.dataset).is_dir():
            say(f"{setting.name}: no {data / setting.dataset}: left out")
            continue
        _compute(setting, rows, data, out / FOLDER / setting.name, jobs)


def _compute(setting: Setting, rows: Sequence[Row], data: Path, folder: Path, jobs: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    by_size: dict[int, Given] = {}

    def given(size: int) -> Given:
        if size not in by_size:
            by_size[size] = read_setting(setting, data, size)
            write_images(folder, by_size[size].test)
        return by_size[size]

    if read_about(folder, CONTROLS) is None:
        _controls(given(SIZE_OF_CONTROLS), folder)
    for row in rows:
        if read_about(folder, row.name) is None and not _needless(setting, row, given):
            say(f"{setting.name}: {row.name}")
            _row(setting, row, given(METHODS[row.method].side(row.preset)), folder, jobs)


def _needless(setting: Setting, row: Row, given: Callable[[int], Given]) -> bool:
    """Whether there is nothing to learn from, or the setting would add nothing to the usual one.

    That is so of a one-class row, which learns from the same normal images, and of a shortened one, which decides
    nothing about kinds that it has not seen.
    """
    info = METHODS[row.method]
    if setting.without and (row.preset == "quick" or not info.uses_unlabeled):
        return True
    return info.uses_unlabeled and given(info.side(row.preset)).unlabeled is None


def _controls(given: Given, folder: Path) -> None:
    fitted = Controls.fit(given.normal, given.unlabeled)
    write_row(folder, CONTROLS, fitted.scores(given.test), {"images": _counts(given)})


def _row(setting: Setting, row: Row, given: Given, folder: Path, jobs: int | None) -> None:
    scores: dict[int, np.ndarray] = {}
    fit_seconds, score_seconds = [], []
    seeds = row.seeds if METHODS[row.method].load().random else row.seeds[:1]
    for seed in seeds:
        options: dict[str, Any] = {"channels": setting.channels, "intensity": DEFAULT} | row.options
        detector = make_detector(row.method, row.preset, seed=seed, jobs=jobs, **options)
        started = time.monotonic()
        detector.fit(given.normal, given.unlabeled)
        fitted = time.monotonic()
        scores[seed] = detector.scores(given.test.unlabelled())["pred_score"]
        fit_seconds.append(round(fitted - started, 1))
        score_seconds.append(round(time.monotonic() - fitted, 1))
        about: dict[str, Any] = {
            "method": row.method,
            "preset": row.preset,
            "options": {name: value for name, value in asdict(detector.options).items() if name != "weights"},
            "images": _counts(given),
            "seconds": {"fit": fit_seconds, "score": score_seconds},
            "versions": versions(detector.device),
        }
    write_row(folder, row.name, {str(seed): values for seed, values in scores.items()}, about)


def _counts(given: Given) -> dict[str, int]:
    parts: dict[str, ImageSet | None] = {"normal": given.normal, "unlabeled": given.unlabeled, "test": given.test}
    return {name: 0 if images is None else len(images) for name, images in parts.items()}
