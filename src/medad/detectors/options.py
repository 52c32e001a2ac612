"""Options of detectors: what all have, and how names and values become them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from medad.errors import UserError

T = TypeVar("T", bound="Options")


@dataclass(frozen=True)
class Options:
    """Options that every detector has.

    Attributes
    ----------
    size, channels : int
        Side of the images and 1 (grey) or 3 (RGB).
    holdout : float
        Share of the normal images kept from training to choose the threshold; 0 gives none.
    """

    size: int = 64
    channels: int = 1
    holdout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can take.

        Raises
        ------
        UserError
            For a size that is no positive multiple of 16, or another number of channels than 1 or 3.
        """
        if self.size < 32 or self.size % 16:
            raise UserError(f"--size {self.size}: choose a multiple of 16 from 32 on, e.g. 64, 128 or 256")
        if self.channels not in (1, 3):
            raise UserError(f"--channels {self.channels}: choose 1 (grey) or 3 (RGB)")
        if not 0 <= self.holdout < 1:
            raise UserError(f"--options.holdout {self.holdout}: choose a share from 0 to below 1")


def make_options(kind: type[T], values: Mapping[str, Any], method: str) -> T:
    """Return the options that `values` name, the others at their defaults.

    Raises
    ------
    UserError
        For an option that `method` does not have, or a value of another type.
    """
    hints = get_type_hints(kind)
    for name in values:
        if name not in hints:
            known = ", ".join(sorted(hints))
            raise UserError(f"--{_flag(name)}: method {method} has no such option; it has {known}")
    return kind(**{name: _checked(name, value, hints[name]) for name, value in values.items()})


def _flag(name: str) -> str:
    """Return how the option is typed: the further ones of a method as ``--options.NAME``."""
    own = ("size", "channels", "backbone", "ensemble_size")
    return name.replace("_", "-") if name in own else f"options.{name}"


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return `value` if it is of the type that `hint` says; whole numbers are also taken for fractions."""
    allowed = get_args(hint) or (hint,)
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        expected = " or ".join("none" if t is type(None) else t.__name__ for t in allowed)
        raise UserError(f"--{_flag(name)} {value}: expected {expected}")
    return value
