"""What the commands ``python -m medad.experiments.…`` have in common: where results lie, and faults in one line."""

import sys
from collections.abc import Callable
from pathlib import Path

from medad.errors import MedadError, UserError
from medad.files import replacing
from medad.ownership import claim_file
from medad.parser_messages import typed_names


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; an error of medad's ends the process with one line and its exit status."""
    try:
        main()
    except MedadError as error:
        print(f"medad: error: {' '.join(typed_names(str(error)).split())}", file=sys.stderr)
        sys.exit(error.exit_status)


def existing(results: Path) -> Path:
    """Return `results`, the root of the stored results.

    Raises
    ------
    UserError
        If there is no such folder.
    """
    if not results.is_dir():
        raise UserError(f"{results}: no such folder; call this in the repository of medad, or give --results")
    return results


def write_page(file: Path, text: str) -> None:
    """Write a page, whole or not at all.

    Raises
    ------
    UserError
        If `file` holds anything that does not begin with the first line of `text`.
    """
    claim_file(file, text.partition("\n")[0])
    with replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")
