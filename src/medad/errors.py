"""Errors that end a command with one clear line."""

import difflib
from collections.abc import Iterable

# Types of options, by Python's names, in the user's words.
TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list, such as [0, 1]",
    "dict": "names with values, such as {lr: 0.001}",
    "Path": "a path",
    "NoneType": "none",
}


class MedadError(Exception):
    """Something went wrong that one line can explain; the command ends with status 1."""

    exit_status = 1


class UserError(MedadError):
    """The input or an option is wrong and the user can mend it; the command ends with status 2."""

    exit_status = 2


class NotFittedError(UserError):
    """A detector was asked for what it learns before it has learned anything."""


class OptionError(UserError):
    """An option is wrong: told as Python spells it, ``size=100: ...``, or as :meth:`typed` on a command line.

    Parameters
    ----------
    option : str
        Its name in Python.
    fault : str
        What is wrong and what to do.
    *value : object
        The value, where it is the value that is wrong.
    """

    def __init__(self, option: str, fault: str, *value: object) -> None:
        super().__init__(option, fault, *value)
        self.option, self.fault, self.value = option, fault, value

    def __str__(self) -> str:
        """Return the line for a script or a file of options."""
        return f"{'='.join([self.option, *map(repr, self.value)])}: {self.fault}"

    def typed(self, flag: str) -> str:
        """Return the line for a command line on which the option is typed as `flag`."""
        return f"{' '.join([flag, *map(str, self.value)])}: {self.fault}"


def closest(word: object, known: Iterable[object]) -> str:
    """Return ``"; did you mean WORD?"`` with the one of `known` that `word` is probably a slip of, else nothing."""
    found = difflib.get_close_matches(str(word), [str(one) for one in known], n=1, cutoff=0.7)
    return f"; did you mean {found[0]}?" if found else ""


def check_choice(option: str, value: object, known: Iterable[str]) -> None:
    """Refuse a value of `option` that is none of `known`.

    Raises
    ------
    OptionError
        Tells what there is, and the closest of it.
    """
    known = list(known)
    if value not in known:
        raise OptionError(option, f"choose from {', '.join(known)}{closest(value, known)}", value)
