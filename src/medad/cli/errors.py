"""Errors of the parser and of the disk, said in one line that names what to do."""

import errno
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from jsonargparse import ActionConfigFile, ArgumentError

from medad.errors import MedadError, OptionError, UserError, closest
from medad.parser_messages import typed

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


def option_trouble(error: OptionError, known: Collection[str]) -> str:
    """Return what is wrong with an option of a method as it is typed: ``--NAME`` or ``--options.NAME``."""
    flag = typed(error.option, known)
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
