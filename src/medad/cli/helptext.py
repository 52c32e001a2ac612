"""The help of a command: what each option takes, in the user's words instead of Python's."""

import argparse
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from jsonargparse import ActionConfigFile, DefaultHelpFormatter

# What an option of a type takes; nothing where the option's own line says it.
TAKES = {int: "whole number", float: "number", Path: "path", list[int]: "list of whole numbers"}


class HelpFormatter(DefaultHelpFormatter):
    """Tells beside an option what it takes, and its default where there is one."""

    def _get_help_string(self, action: argparse.Action) -> str:
        if isinstance(action, ActionConfigFile | argparse._HelpAction | argparse._SubParsersAction):
            return super()._get_help_string(action)
        unsaid = action.default is False or action.default in (None, argparse.SUPPRESS, {}, [])
        default = None if unsaid else f"default: {action.default}"
        notes = ("required" if action.required else None, self._get_type_str(action), default)
        told = ", ".join(note for note in notes if note)
        return f"{action.help} ({told})" if told else str(action.help)

    def _get_type_str(self, action: argparse.Action) -> str | None:
        hint = getattr(action, "_typehint", None)
        return None if get_origin(hint) is Literal else takes(hint)  # jsonargparse names the choices itself


def takes(hint: Any) -> str | None:
    """Return what an option of the type `hint` takes, such as ``"whole number"``; None where there is no need."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if hint in TAKES:
        return TAKES[hint]
    found = [takes(one) for one in get_args(hint) if one is not NoneType]
    return found[0] if len(found) == 1 else None
