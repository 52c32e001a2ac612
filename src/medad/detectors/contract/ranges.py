"""The range of an option, told where the option is defined."""

import math
from dataclasses import field
from typing import Any


def ranged(default: Any, low: float, high: float = math.inf) -> Any:
    """Return the field of an option that may be `low` to `high`, in a subclass with another default as well."""
    return field(default=default, metadata={"range": (low, high)})


def range_of(kind: type, name: str) -> tuple[float, float]:
    """Return what the option `name` of the dataclass `kind` may be: as the nearest class says that gives a range."""
    known = [own[name] for base in kind.__mro__ if name in (own := vars(base).get("__dataclass_fields__", {}))]
    return next((found.metadata["range"] for found in known if "range" in found.metadata), (-math.inf, math.inf))
