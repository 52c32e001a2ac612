"""Errors that end a command with one clear line."""


class MedadError(Exception):
    """Something went wrong that one line can explain; the command ends with status 1."""

    exit_status = 1


class UserError(MedadError):
    """The input or an option is wrong and the user can mend it; the command ends with status 2."""

    exit_status = 2
