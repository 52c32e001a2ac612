"""Errors of the parser and of the disk, said in one line that names what to do."""

import errno
import os
import re
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile, ArgumentError

from medad.errors import MedadError, UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class ConfigFile(ActionConfigFile):
    """``--config``, whose faults name the file."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Take over the options in the file `values`."""
        try:
            super().__call__(parser, cfg, values, option_string)
            unknown = vars(cfg).keys() - vars(parser.get_defaults()).keys()
            if unknown:
                raise ValueError(f"no such option: {', '.join(sorted(unknown))}")
        except (TypeError, ValueError, ArgumentError, OSError) as error:
            fault = str(error).removeprefix(f'Parser key "{self.dest}": ')
            raise ArgumentError(None, f"--config {values}: {fault}") from error


def parse_trouble(message: str) -> str:
    """Return jsonargparse's `message` in the user's words: options as typed, no Python types."""
    line = " ".join(message.split())
    line = re.sub(r"Does not validate .*? Errors: - (.*?) - .* Given value: ", r"\1. Got value: ", line)
    line = re.sub(r"(Expected a) (?:typing\.Literal(\[.*?\])|<class '(\w+)'>)", _expected, line)
    line = re.sub(r'Parser key "(\w+)":', lambda key: f"--{key[1].replace('_', '-')}:", line)
    line = re.sub(r"required: ([\w-]+)\..+", _required, line)
    return f"{line} (see medad --help)" if "--help" not in line else line


def _expected(match: re.Match) -> str:
    if match[3] == "list":
        return "expected a list, such as [0, 1]"
    return f"expected one of {match[2]}" if match[2] else f"expected {match[3]}"


def _required(match: re.Match) -> str:
    """Return what is missing without the command in front of every name."""
    return f"{match[0].replace(f'{match[1]}.', '')} (see medad {match[1]} --help)"


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
