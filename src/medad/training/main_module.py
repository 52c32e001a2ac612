"""What a script, a notebook or standard input means for processes that train what is defined there.

A new process knows nothing that the main module defines, unless it runs that module again. It can where the module
is a file, and should where it does not call fit again when it is run so.
"""

import ast
import multiprocessing
import pickle
import pickletools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from medad.errors import UserError

MAIN = "__main__"
GUARD = f'put the call of fit under `if __name__ == "{MAIN}":`'


def needs_main(work: Any) -> bool:
    """Return whether a process that is given `work` has to run the main module first."""
    return MAIN in _names(work)


def reason_to_stay(work: Any) -> str | None:
    """Return why `work` cannot be given to other processes and what to do so that it can; None where it can."""
    try:
        names = _names(work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return f"other processes cannot be given it ({error!s:.100}): define it in a file, outside of functions"
    lines = {name: line for name, line in _at_work(sys._getframe()) if name in names}
    file = Path(getattr(sys.modules[MAIN], "__file__", None) or "")
    if MAIN in names and not file.is_file():
        return "other processes do not see what is defined here: define it in a file and import it from there"
    if lines.keys() - {MAIN} or (MAIN in lines and not _guarded(file, lines[MAIN])):
        return GUARD
    return None


def refuse_second_call() -> None:
    """Refuse a call of fit by a process that is running the main module of its parent again.

    Raises
    ------
    UserError
        Tells where to put the call.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UserError(f"{GUARD}, or use jobs=1")


@contextmanager
def main_hidden() -> Iterator[None]:
    """Let processes that are started meanwhile not run the main module again.

    Without this a script would have to keep the call of fit under the guard even where processes need nothing of
    it, and one that Python reads from standard input could not train in processes at all.
    """
    names: dict[str, Any] = vars(sys.modules[MAIN])
    shown: dict[str, Any] = {name: names[name] for name in ("__spec__", "__file__") if name in names}
    try:
        names["__spec__"] = None
        names.pop("__file__", None)
        yield
    finally:
        names.update(shown)


def _names(work: Any) -> set[str]:
    """Return all texts in the pickle of `work`, the modules that unpickling imports among them."""
    return {text for _, text, _ in pickletools.genops(pickle.dumps(work)) if isinstance(text, str)}


def _at_work(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    """Yield the modules whose top level is being run, and the line where each is."""
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if frame.f_code.co_name == "<module>" and frame.f_globals is getattr(sys.modules.get(name), "__dict__", None):
            yield name, frame.f_lineno
        frame = frame.f_back


def _guarded(file: Path, line: int) -> bool:
    """Return whether `line` of the main module stands under a condition on ``__name__``."""
    conditions = (node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.If))
    guards = (node for node in conditions if any(_is_name(part) for part in ast.walk(node.test)))
    return any(guard.lineno <= line <= (guard.end_lineno or line) for guard in guards)


def _is_name(part: ast.AST) -> bool:
    return isinstance(part, ast.Name) and part.id == "__name__"
