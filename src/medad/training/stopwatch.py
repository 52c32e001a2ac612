"""How long something takes that may be stopped, killed and gone on with."""

import json
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from medad.files import replacing

SECONDS_FILE = "seconds.json"
PERIOD = 5.0  # seconds between two notes: so much of a sitting is lost at most when it is killed


class Stopwatch:
    """Sums up the seconds of all sittings, in a file that outlives each.

    Parameters
    ----------
    file : Path
        Written at the beginning, every `PERIOD` seconds and in the end; a later sitting goes on from it. One that
        cannot be read counts as not there.

    Attributes
    ----------
    resumed : bool
        Whether the file tells of an earlier sitting.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        known = _read(file)
        self.resumed = known is not None
        self.before, self.began = known or (0.0, time.time())
        self.start = time.monotonic()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._note_now_and_then, daemon=True)

    def __enter__(self) -> Self:
        self._note()
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()
        self._note()

    @property
    def seconds(self) -> float:
        """The time while something was done: the sum over the sittings, this one until now."""
        return self.before + time.monotonic() - self.start

    @property
    def wall_seconds(self) -> float:
        """The time from the beginning of the first sitting until now, with all pauses."""
        return max(time.time() - self.began, self.seconds)  # the clock may have been set

    def _note_now_and_then(self) -> None:
        while not self.ended.wait(PERIOD):
            self._note()

    def _note(self) -> None:
        with suppress(OSError), replacing(self.file) as partial:  # a full disk is told by what matters more
            partial.write_text(json.dumps({"seconds": self.seconds, "began": self.began}), encoding="utf-8")


def _read(file: Path) -> tuple[float, float] | None:
    try:
        known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return float(known["seconds"]), float(known["began"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
