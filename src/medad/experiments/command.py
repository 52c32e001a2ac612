"""What the commands ``python -m medad.experiments.…`` have in common: options, and faults in one line."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from medad.errors import MedadError, OptionError, UserError
from medad.experiments.stored import RESULTS
from medad.parser_messages import typed_names
from medad.workflows.notes import take_any_console


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; an error of medad's ends the process with one line and its exit status."""
    take_any_console()
    try:
        main()
    except MedadError as error:
        told = error.typed(f"--{error.option}") if isinstance(error, OptionError) else typed_names(str(error))
        print(f"medad: error: {' '.join(told.split())}", file=sys.stderr)
        sys.exit(error.exit_status)


def study_parser(name: str, description: str | None) -> ArgumentParser:
    """Return the parser of the study that is called ``python -m medad.experiments.studies.NAME``."""
    return ArgumentParser(prog=f"python -m medad.experiments.studies.{name}", description=description)


def add_stored(parser: ArgumentParser) -> None:
    """Let the user say where the stored results lie."""
    parser.add_argument("--stored", type=Path, default=RESULTS, help=f"root of the stored results; default {RESULTS}")


def add_data(parser: ArgumentParser) -> None:
    """Let the user say where the data sets lie."""
    parser.add_argument("--data", type=Path, help="folder of data sets; by default what MEDAD_DATA names")


def data_folder(given: Path | None) -> Path:
    """Return the folder of data sets.

    Raises
    ------
    UserError
        If neither `given` nor the environment variable MEDAD_DATA names it.
    """
    folder = given or os.environ.get("MEDAD_DATA")
    if not folder:
        raise UserError("`data`: name the folder of data sets, here or in the environment variable MEDAD_DATA")
    return Path(folder)


def existing(stored: Path) -> Path:
    """Return `stored`, the root of the stored results.

    Raises
    ------
    UserError
        If there is no such folder.
    """
    if not stored.is_dir():
        raise UserError(f"{stored}: no such folder; call this in the repository of medad, or give `stored`")
    return stored
