"""What a command tells its user while it works."""

import io
import sys


def take_any_console() -> None:
    """Let standard output write what its encoding lacks as an escape; standard error does so by itself.

    A report's name, or a dash in a table, must not end a command whose work is done.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Print a line beside the results: standard output holds nothing but these."""
    print(line, file=sys.stderr, flush=True)
