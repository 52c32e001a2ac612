"""The command line: parser, names of flags, errors in the user's words."""

from medad.cli.commands import main

__all__ = ["main"]
