"""Errors of the parser and of the disk, said in one line that names what to do."""

import errno
import re
from pathlib import Path

from medad.errors import MedadError, UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def parse_trouble(message: str) -> str:
    """Return jsonargparse's `message` in the user's words: options as typed, no Python types."""
    line = " ".join(message.split())
    line = re.sub(r"Does not validate .*? Errors: - (.*?) - .* Given value: ", r"\1. Got value: ", line)
    line = re.sub(r"(Expected a) (?:typing\.Literal(\[.*?\])|<class '(\w+)'>)", _expected, line)
    line = re.sub(r'Parser key "(\w+)":', lambda key: f"--{key[1].replace('_', '-')}:", line)
    line = re.sub(r"required: \w+\.", "required: ", line)
    return f"{line} (see medad --help)" if "--help" not in line else line


def _expected(match: re.Match) -> str:
    return f"expected one of {match[2]}" if match[2] else f"expected {match[3]}"


def disk_trouble(error: OSError, out: Path | None) -> MedadError | None:
    """Return what to tell the user about a full or read-only disk; None for any other error.

    Parameters
    ----------
    error : OSError
        What writing raised.
    out : Path, optional
        Where the command writes: named when the error names no file.
    """
    where = Path(str(error.filename)).parent if error.filename else out or "the output folder"
    # numpy reports a short write without an error number
    if error.errno in FULL or (error.errno is None and re.search(r"requested and \d+ written", str(error))):
        return MedadError(f"{where}: the disk is full; free some space and go on (with --resume in training)")
    if error.errno in READ_ONLY:
        return UserError(f"{where}: cannot be written to ({error.strerror}); choose another --out")
    return None
