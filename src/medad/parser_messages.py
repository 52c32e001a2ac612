"""What the parser of options says, in the user's words and in one line."""

import re
from collections.abc import Collection
from functools import partial

from medad.errors import TYPES, closest


def parse_trouble(message: str, known: Collection[str] = (), command: str = "") -> str:
    """Return jsonargparse's `message` in the user's words: options as typed, no Python types.

    Parameters
    ----------
    message : str
        What jsonargparse says, however many lines.
    known : collection of str
        What can be typed there: options with their dashes, or commands.
    command : str
        The command whose help tells more, if any: ``"medad train"``.
    """
    line = " ".join(message.split())
    line = re.sub(r"Does not validate .*? Errors: - (.*?) - .* Given value:", r"\1. Got value:", line)
    for pattern, say in FAULTS.items():
        line = re.sub(pattern, partial(say, known), line)
    return f"{line} (see {command} --help)" if command else line


def typed_names(message: str) -> str:
    """Return an error's `message` with the options that it names in backquotes as they are typed: ``--NAME``."""
    return re.sub(r"`(options\.)?(\w+)`", lambda name: f"--{name[1]}{name[2]}" if name[1] else _flag(name[2]), message)


def _mistyped(known: Collection[str], match: re.Match) -> str:
    """Say which options there are not, or which words have no place."""
    words = match[1].split()
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    if not flags:
        return f"unexpected: {match[1]}"
    hint = closest(flags[0], known)
    if not hint and "--options" in known:
        hint = f"; an option of the method is typed --options.{flags[0].strip('-').replace('-', '_')}"
    return f"no such option: {', '.join(flags)}{hint}"


def _missing(known: Collection[str], match: re.Match) -> str:
    return f"required: {', '.join(typed(name.rpartition('.')[2], known) for name in match[1].split(', '))}"


def _no_command(known: Collection[str], match: re.Match) -> str:
    return f"give a command: {', '.join(known)}"


def _wrong_command(known: Collection[str], match: re.Match) -> str:
    return f"{match[1]}: no such command{closest(match[1], known) or '; there are ' + ', '.join(known)}"


def _wrong_value(known: Collection[str], match: re.Match) -> str:
    name, kind, value = match.groups()
    choices = re.findall(r"[^\[\]', ]+", kind.partition("[")[2])
    wanted = f"choose from {', '.join(choices)}{closest(value, choices)}" if choices else f"expected {_type(kind)}"
    return f"{typed(name, known)} {value or repr(value)}: {wanted}"


def _no_value(known: Collection[str], match: re.Match) -> str:
    return f"{match[1]}: give {'each --options.NAME' if match[1] == '--options' else 'it'} a value"


def _no_flag(known: Collection[str], match: re.Match) -> str:
    return f"{match[1]} {match[2]}: give {match[1]} alone"


def _not_of_type(known: Collection[str], match: re.Match) -> str:
    return f"{typed(match[1], known)}: expected {_type(match[2])}"


def _no_options(known: Collection[str], match: re.Match) -> str:
    return "expected options with their values, such as size: 128"


def _type(kind: str) -> str:
    name = re.sub(r"<class '(.*)'>", r"\1", kind)
    return TYPES.get(name, name)


def typed(name: str, known: Collection[str]) -> str:
    """Return how the option of that name is typed; arguments are typed without a name."""
    return _flag(name) if _flag(name) in known else name


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


FAULTS = {
    r"unrecognized arguments: (.*)": _mistyped,
    r"the following arguments are required: (.*)": _missing,
    r"expected \"subcommand\" to be one of .*": _no_command,
    r"argument COMMAND: invalid choice: '?(.*?)'? \(choose from .*\)": _wrong_command,
    r'Parser key "([\w.]+)": Expected a (.+?)\. Got value: ?(.*)': _wrong_value,
    r'Parser key "([\w.]+)": Not of type (\w+): .*': _not_of_type,
    r"argument (--[\w-]+)\S*: expected one argument": _no_value,
    r"argument (--[\w-]+)\S*: ignored explicit argument '(.*)'": _no_flag,
    r"Unexpected config:.*": _no_options,
}
