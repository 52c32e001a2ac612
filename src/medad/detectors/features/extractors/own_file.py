"""Extractors whose weights no package has."""

from medad.errors import UserError


def required(name: str, weights: str, what: str) -> str:
    """Return `weights`, the option of the extractor `name`, which names `what`.

    Raises
    ------
    UserError
        If it is empty.
    """
    if not weights:
        raise UserError(f"extractor '{name}' needs weights, and no package has them: name {what} (`--options.weights`)")
    return weights
