"""What the precisions mean on a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from medad.errors import OptionError, check_choice

PRECISIONS = ("fp32", "tf32", "bf16")


def check_precision(precision: str, device: torch.device | None = None) -> str:
    """Return `precision`.

    Raises
    ------
    UserError
        If there is no such precision, or not on `device`, if one is given.
    """
    check_choice("precision", precision, PRECISIONS)
    if precision == "tf32" and device is not None and device.type == "cpu":
        raise OptionError("precision", "only GPUs have it; choose fp32 or bf16", precision)
    return precision


@contextmanager
def products_in(precision: str, device: torch.device) -> Iterator[None]:
    """Let a GPU's fp32 products be rounded to TF32 for ``"tf32"`` only: torch's own default does so for convolutions.

    Discrepancies are differences between networks and feel rounding first, so TF32 is a precision of its own.
    """
    if device.type == "cpu":
        yield
        return
    parts = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [part.fp32_precision for part in parts]
    for part in parts:
        part.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        yield
    finally:
        for part, value in zip(parts, before, strict=True):
            part.fp32_precision = value
