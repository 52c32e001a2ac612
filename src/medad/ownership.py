"""Whose a folder is: a command replaces what its marker lists, and nothing else.

Every folder that a command writes into holds a marker, ``.medad.json``: the command, the version of medad, and the
names of what it wrote. Names are relative to the folder, with ``/``; one that ends with ``/`` is a folder all of
whose contents are the command's.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medad.errors import UserError
from medad.files import replacing
from medad.version import __version__

MARKER = ".medad.json"
RUN_FILE = "run.yaml"  # a folder that holds it is a run


@dataclass(frozen=True)
class Marker:
    """What a marker says: the command, and the names of what it wrote."""

    command: str
    names: frozenset[str]


@contextmanager
def claimed(
    folder: Path, command: str, names: Iterable[str], *, clear: bool = False, earlier: Iterable[str] = ()
) -> Iterator[Path]:
    """Let `command` write `names` into `folder`; its marker lists in the end those that are there.

    What else lies in the folder is left alone. A process that is killed leaves a marker with all names.

    Parameters
    ----------
    folder : Path
        Made if missing.
    command : str
        What writes, as it stands in the marker.
    names : iterable of str
        What may be written, see the top of this file.
    clear : bool
        Whether files that the command wrote before are removed; folders of its own are kept.
    earlier : iterable of str
        Names that are the command's although there is no marker, shown by what they hold.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    UserError
        If the folder is another command's, a run, a link or cannot be written to; or if there is anything of one of
        these names that the command did not write.
    """
    wanted = frozenset(names)
    _check_folder(folder, wanted)
    marker = read_marker(folder)
    if marker is not None and marker.command != command:
        raise UserError(f"{folder}: belongs to medad {marker.command}; choose another `out`")
    owned = frozenset(earlier) if marker is None else marker.names
    _check_names(folder, command, wanted, owned)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark(folder, command, owned | wanted)
        if clear:
            _remove(folder, owned)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written to ({error.strerror}); choose another `out`") from error
    try:
        yield folder
    finally:
        with suppress(OSError, UserError):  # then it lists more than there is
            _trim(folder, command, owned | wanted)


def claim_file(file: Path, first_line: str) -> None:
    """Make sure that a command may write `file`: it is not there, or begins with `first_line` as those that it writes.

    Raises
    ------
    UserError
        If there is anything else.
    """
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise UserError(f"{file}: not a plain file; choose another `out`")
    nearest = next(parent for parent in file.parents if parent.exists())
    if not nearest.is_dir():
        raise UserError(f"{nearest}: not a folder; choose another `out`")
    if file.exists():
        with file.open("rb") as stream:
            if stream.readline().rstrip(b"\r\n") != first_line.encode():
                raise UserError(f"{file}: holds something else than would be written; choose another `out`")


def read_marker(folder: Path) -> Marker | None:
    """Return what the marker of `folder` says, None where there is none.

    Raises
    ------
    UserError
        If a file of its name is no marker, or names anything outside the folder.
    """
    file = folder / MARKER
    if not os.path.lexists(file):
        return None
    try:
        if file.is_symlink():
            raise ValueError
        content = json.loads(file.read_text(encoding="utf-8"))
        marker = Marker(str(content["command"]), frozenset(content["names"]))
        root = os.path.join(os.path.abspath(folder), "")
        if not all(os.path.abspath(os.path.join(root, name)).startswith(root) for name in marker.names):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file}: not a marker of medad; move it away or choose another `out`") from error
    return marker


def mark(folder: Path, command: str, names: Iterable[str]) -> None:
    """Write the marker of `folder`."""
    content = {"command": command, "medad": __version__, "names": sorted(names)}
    with replacing(folder / MARKER) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _check_folder(folder: Path, wanted: frozenset[str]) -> None:
    if folder.is_symlink():
        raise UserError(f"{folder}: is a link; give the folder that it points to, or another `out`")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: not a folder; choose another `out`")
    if RUN_FILE not in wanted and os.path.lexists(folder / RUN_FILE):
        raise UserError(f"{folder}: holds a run; choose another `out`")


def _check_names(folder: Path, command: str, wanted: Iterable[str], owned: Iterable[str]) -> None:
    """Refuse what is there of the names `wanted`, or of the folders that they lie in, and is not `owned`."""
    known = _with_parents(owned)
    for name in sorted(_with_parents(wanted)):
        path = folder / name
        if os.path.lexists(path) and not (name in known and _is_plain(path, name)):
            raise UserError(f"{path}: not known to be of medad {command}; move it away or choose another `out`")


def _with_parents(names: Iterable[str]) -> set[str]:
    found = set(names)
    for name in list(found):
        for parent in PurePosixPath(name).parents:
            if str(parent) == "." or f"{parent}/" in found:
                break
            found.add(f"{parent}/")
    return found


def _is_plain(path: Path, name: str) -> bool:
    """Whether `path` is what its name says, a file or a folder, and no link."""
    return not path.is_symlink() and (path.is_dir() if name.endswith("/") else path.is_file())


def _remove(folder: Path, owned: Iterable[str]) -> None:
    """Remove the files `owned`, and the folders that they lay in as far as these are empty; never through a link."""
    names = _with_parents(owned)
    links = {name for name in names if name.endswith("/") and (folder / name).is_symlink()}
    for name in sorted(names - links, reverse=True):  # what is in a folder comes before it
        path = folder / name
        if not any(f"{parent}/" in links for parent in PurePosixPath(name).parents):
            if name.endswith("/") and name not in owned:
                with suppress(OSError):  # it holds what is not ours
                    path.rmdir()
            elif _is_plain(path, name) and not name.endswith("/"):
                path.unlink()


def _trim(folder: Path, command: str, names: frozenset[str]) -> None:
    """Note which `names` are there, and what another process of the same command noted meanwhile."""
    marker = read_marker(folder)
    listed = names | (marker.names if marker else frozenset())
    mark(folder, command, (name for name in listed if os.path.lexists(folder / name)))
