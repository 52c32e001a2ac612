"""When and by what a page was printed: the sentence that stands at the top of it."""

import datetime


def printed_by(command: str) -> str:
    """Return the beginning of that sentence."""
    return f"Printed on {datetime.date.today()} by `{command}`"
