"""``medad watch``: the cases of a day held against those before; evidence that something has changed."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from medad.detectors.registry import load_detector
from medad.errors import OptionError, UserError
from medad.evaluation.promises.stream import Stream
from medad.evaluation.summary import check_finite
from medad.files import replacing
from medad.training.run_folder import CALIBRATION_FOLDER
from medad.workflows.calibrate import read_normals
from medad.workflows.calibration_set import calibration_file
from medad.workflows.notes import say
from medad.workflows.scoring import score

SOME, MUCH = 20, 100  # evidence; of cases that stay as they are 1 stream in 20, or in 100, ever comes so far
FEWEST = 20  # cases of the first day


@dataclass(frozen=True)
class Watched:
    """What is known of the cases of a place: their scores, and a line for each day."""

    stream: Stream
    days: list[dict[str, object]] = field(default_factory=list)


def watch(
    run: Path,
    cases: Sequence[Path],
    name: str = "local",
    *,
    date: str | None = None,
    device: str = "auto",
    jobs: int | None = None,
) -> float:
    """Score the cases of a day, in the order of their names, and add them to what was seen before.

    Normal or not, labelled or not: what counts is whether they are like those before. The first day is what later ones
    are held against.

    Parameters
    ----------
    run : Path
        Run folder, in which the state is kept: ``calibration/NAME.stream.json``.
    cases : sequence of Path
        Image files, and folders that are searched for them.
    name : str
        Of the place.
    date : str, optional
        Of the cases, such as ``"2026-03-01"``; today by default. A day that is there already is refused.
    device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.

    Returns
    -------
    float
        The evidence so far, see :class:`medad.evaluation.promises.stream.Stream`.

    Raises
    ------
    UserError
        If the run, the images or the name do not allow it, the day has been seen, or the first day has too few cases.
    """
    path, day = stream_file(run, name), _day(date)
    known = read_stream(path) if path.exists() else None
    if known is not None and day in {one["date"] for one in known.days}:
        raise UserError(f"{path}: the cases of {day} have been seen; give others, or another --date")
    detector = load_detector(run, device=device, jobs=jobs)
    table = score(detector, read_normals(detector, cases, jobs))
    check_finite(table)
    scores = table.columns["pred_score"]
    found = _after(known, scores, day)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    say(_told(found, len(scores), name, day))
    return found.stream.evidence


def stream_file(run: Path, name: str) -> Path:
    """Return where the state of a place lies; raises OptionError for a name that cannot be a file's."""
    calibration_file(run, name)
    return Path(run) / CALIBRATION_FOLDER / f"{name}.stream.json"


def read_stream(path: Path) -> Watched:
    """Return the state of a place.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stream = content["stream"]
        scores, capital = (tuple(map(float, stream[name])) for name in ("scores", "capital"))
        return Watched(Stream(scores, capital, int(stream["cases"])), list(content["days"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not readable ({error!s:.100}); remove it to begin anew") from error


def _day(date: str | None) -> str:
    try:
        return str(datetime.date.today() if date is None else datetime.date.fromisoformat(date))
    except ValueError:
        raise OptionError("date", "give year, month and day, such as 2026-03-01", date) from None


def _after(known: Watched | None, scores: np.ndarray, day: str) -> Watched:
    if known is None:
        if len(scores) < FEWEST:
            raise UserError(f"{len(scores)} cases are too few to begin with: give {FEWEST} or more")
        return Watched(Stream.beginning(scores), [{"date": day, "cases": len(scores), "evidence": 1.0}])
    stream = known.stream.after(scores)
    line = {"date": day, "cases": len(scores), "evidence": round(stream.evidence, 3)}
    return Watched(stream, [*known.days, line])


def _told(found: Watched, cases: int, name: str, day: str) -> str:
    if len(found.days) == 1:
        return f"{name}: {cases} cases of {day} are what later ones are held against"
    evidence = found.stream.evidence
    since = found.days[0]["date"]
    told = f"{name}: {cases} cases of {day}; evidence that cases have changed since {since}: {evidence:.3g}"
    if evidence < SOME:
        return f"{told} (20 is some, 100 is much)"
    word = "MUCH" if evidence >= MUCH else "SOME"
    return f"{told}: {word}. Look for what changed, and let medad check tell whether promises still hold"
