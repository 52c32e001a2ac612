"""Fitted phases that later runs use again: networks that many runs have in common are trained once."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from medad.files import locked, replacing
from medad.training.job import finished_path
from medad.training.spec import Spec


@dataclass(frozen=True)
class PhaseStore:
    """A folder of finished phases, each under its key: configuration, training images, seed and precision.

    Attributes
    ----------
    folder : Path
        Where they lie; made when needed. Whatever lies there may be deleted while no training uses it.
    """

    folder: Path

    @contextmanager
    def shared(self, specs: Sequence[Spec], work: Path) -> Iterator[None]:
        """Bring what is stored of `specs` into the folder `work`; store what is finished there afterwards.

        Phases with snapshots are left out: these are not stored. Another process that trains one of the
        others meanwhile is waited for.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted = [spec for spec in specs if not spec.snapshots]
        self._fetch(wanted, work)
        lacking = sorted(spec.key for spec in wanted if not finished_path(work, spec.name).exists())
        with ExitStack() as stack:
            for key in lacking:  # in one order everywhere, so that no two processes wait for each other
                stack.enter_context(locked(self.folder / f"{key}.lock"))
            self._fetch(wanted, work)
            try:
                yield
            finally:
                self._keep(wanted, work)

    def _path(self, spec: Spec) -> Path:
        return self.folder / f"{spec.key}.safetensors"

    def _fetch(self, specs: Sequence[Spec], work: Path) -> None:
        for spec in specs:
            if self._path(spec).exists() and not finished_path(work, spec.name).exists():
                _link(self._path(spec), finished_path(work, spec.name))

    def _keep(self, specs: Sequence[Spec], work: Path) -> None:
        for spec in specs:
            if finished_path(work, spec.name).exists() and not self._path(spec).exists():
                _link(finished_path(work, spec.name), self._path(spec))


def _link(source: Path, target: Path) -> None:
    """Let `target` be the file `source`, or where that cannot be, a copy."""
    with replacing(target) as partial:
        try:
            os.link(source, partial)
        except OSError:
            shutil.copyfile(source, partial)
