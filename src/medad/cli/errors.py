"""Errors of the parser and of the disk, said in one line that names what to do."""

import errno
import os
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile, ArgumentError

from medad.errors import TYPES, MedadError, OptionError, UserError, closest

FULL = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class ConfigFile(ActionConfigFile):
    """``--config``, whose faults name the file."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Take over the options in the file `values`."""
        try:
            super().__call__(parser, cfg, values, option_string)
            known = vars(parser.get_defaults()).keys()
            if unknown := sorted(vars(cfg).keys() - known):
                raise ValueError(f"no such option: {', '.join(unknown)}{closest(unknown[0], known)}")
        except (TypeError, ValueError, ArgumentError, OSError) as error:
            fault = str(error).removeprefix(f'Parser key "{self.dest}": ')
            raise ArgumentError(None, f"--config {values}: {fault}") from error


def parse_trouble(message: str, known: Collection[str] = (), command: str = "") -> str:
    """Return jsonargparse's `message` in the user's words: options as typed, no Python types.

    Parameters
    ----------
    message : str
        What jsonargparse says, however many lines.
    known : collection of str
        What can be typed there: options with their dashes, or commands.
    command : str
        The command whose help tells more, if any: ``"medad train"``.
    """
    line = " ".join(message.split())
    line = re.sub(r"Does not validate .*? Errors: - (.*?) - .* Given value:", r"\1. Got value:", line)
    for pattern, say in FAULTS.items():
        line = re.sub(pattern, partial(say, known), line)
    return f"{line} (see {command} --help)" if command else line


def _mistyped(known: Collection[str], match: re.Match) -> str:
    """Say which options there are not, or which words have no place."""
    words = match[1].split()
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    if not flags:
        return f"unexpected: {match[1]}"
    hint = closest(flags[0], known)
    if not hint and "--options" in known:
        hint = f"; an option of the method is typed --options.{flags[0].strip('-').replace('-', '_')}"
    return f"no such option: {', '.join(flags)}{hint}"


def _missing(known: Collection[str], match: re.Match) -> str:
    return f"required: {', '.join(_typed(name.rpartition('.')[2], known) for name in match[1].split(', '))}"


def _no_command(known: Collection[str], match: re.Match) -> str:
    return f"give a command: {', '.join(known)}"


def _wrong_command(known: Collection[str], match: re.Match) -> str:
    return f"{match[1]}: no such command{closest(match[1], known) or '; there are ' + ', '.join(known)}"


def _wrong_value(known: Collection[str], match: re.Match) -> str:
    name, kind, value = match.groups()
    choices = re.findall(r"[^\[\]', ]+", kind.partition("[")[2])
    wanted = f"choose from {', '.join(choices)}{closest(value, choices)}" if choices else f"expected {_type(kind)}"
    return f"{_typed(name, known)} {value or repr(value)}: {wanted}"


def _no_value(known: Collection[str], match: re.Match) -> str:
    return f"{match[1]}: give {'each --options.NAME' if match[1] == '--options' else 'it'} a value"


def _no_flag(known: Collection[str], match: re.Match) -> str:
    return f"{match[1]} {match[2]}: give {match[1]} alone"


def _not_of_type(known: Collection[str], match: re.Match) -> str:
    return f"{_typed(match[1], known)}: expected {_type(match[2])}"


def _no_options(known: Collection[str], match: re.Match) -> str:
    return "expected options with their values, such as size: 128"


def _type(kind: str) -> str:
    name = re.sub(r"<class '(.*)'>", r"\1", kind)
    return TYPES.get(name, name)


def _typed(name: str, known: Collection[str]) -> str:
    """Return how the option of that name is typed; arguments are typed without a name."""
    flag = f"--{name.replace('_', '-')}"
    return flag if flag in known else name


FAULTS = {
    r"unrecognized arguments: (.*)": _mistyped,
    r"the following arguments are required: (.*)": _missing,
    r"expected \"subcommand\" to be one of .*": _no_command,
    r"argument COMMAND: invalid choice: '?(.*?)'? \(choose from .*\)": _wrong_command,
    r'Parser key "([\w.]+)": Expected a (.+?)\. Got value: ?(.*)': _wrong_value,
    r'Parser key "([\w.]+)": Not of type (\w+): .*': _not_of_type,
    r"argument (--[\w-]+)\S*: expected one argument": _no_value,
    r"argument (--[\w-]+)\S*: ignored explicit argument '(.*)'": _no_flag,
    r"Unexpected config:.*": _no_options,
}


def option_trouble(error: OptionError, known: Collection[str]) -> str:
    """Return what is wrong with an option of a method as it is typed: ``--NAME`` or ``--options.NAME``."""
    flag = _typed(error.option, known)
    if flag == error.option and "--options" in known:
        flag = f"--options.{error.option}"
    return error.typed(flag)


def disk_trouble(error: OSError, out: Path) -> MedadError | None:
    """Return what to tell the user about a full disk or missing permissions; None for any other error.

    Parameters
    ----------
    error : OSError
        What reading or writing raised.
    out : Path
        Where the command writes: named when the error names no file.
    """
    file = Path(os.fsdecode(error.filename)) if error.filename else out
    # numpy reports a short write without an error number
    if error.errno in FULL or (error.errno is None and re.search(r"requested and \d+ written", str(error))):
        where = file.parent if error.filename else out
        return MedadError(f"{where}: the disk is full; free some space and go on (with --resume in training)")
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return UserError(f"{file}: not a folder; choose another --out")
    if error.errno not in READ_ONLY:
        return None
    if error.errno == errno.EROFS or Path(os.path.abspath(file)).is_relative_to(os.path.abspath(out)):
        return UserError(f"{file}: cannot be written to ({error.strerror}); choose another --out")
    return UserError(f"{file}: cannot be read ({error.strerror}): check its permissions")
