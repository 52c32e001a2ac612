"""What a command tells its user while it works."""

import sys


def say(line: str) -> None:
    """Print a line beside the results: standard output holds nothing but these."""
    print(line, file=sys.stderr, flush=True)
