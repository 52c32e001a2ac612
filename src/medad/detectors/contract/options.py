"""Options of detectors: what all have, and how names and values become them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self, TypeVar, get_args, get_type_hints

from medad.data.intensity import DEFAULT
from medad.data.preprocessing import READING, Preprocessing
from medad.detectors.contract.ranges import range_of, ranged
from medad.errors import TYPES, OptionError, closest
from medad.training.spec import Recipe

T = TypeVar("T", bound="Options")
SETTINGS = ("seed", "precision", "device", "jobs")  # what a detector is told besides its options


@dataclass(frozen=True)
class Options:
    """Options that every detector has.

    Attributes
    ----------
    size, channels : int
        Side of the images, a multiple of 16 (of 32 above 128, of 64 above 256), and 1 (grey) or 3 (RGB).
    holdout : float
        Share of the normal images kept from training to choose the threshold; 0 gives none.
    fit, intensity : str
        How files are read: what becomes of images that are not square, and which value becomes black and which white.
        See :class:`medad.data.preprocessing.Preprocessing`.
    """

    # options that change no weight: it is the images that do, however they came to be
    scoring: ClassVar[frozenset[str]] = frozenset({"holdout", *READING})

    size: int = 64
    channels: int = 1
    holdout: float = ranged(0.0, 0, 0.9)
    fit: str = "stretch"
    intensity: str = DEFAULT

    @property
    def preprocessing(self) -> Preprocessing:
        """How files become the images that these options are about."""
        return Preprocessing(self.size, self.channels, self.fit, self.intensity)

    def for_images(self, normal: int) -> Self:
        """Return the options of a training on so many normal images: the same, unless the method says otherwise."""
        return self

    def of_training(self) -> dict[str, Any]:
        """Return the options on which the weights depend."""
        return {name: value for name, value in asdict(self).items() if name not in self.scoring}

    def __post_init__(self) -> None:
        """Refuse values that no network or training can take.

        Raises
        ------
        OptionError
            For a number out of its range; the option is named.
        """
        if self.size < 32 or self.size % _step(self.size):
            raise OptionError("size", f"choose a multiple of {_step(self.size)}, e.g. 64, 128 or 256", self.size)
        if self.channels not in (1, 3):
            raise OptionError("channels", "choose 1 (grey) or 3 (RGB)", self.channels)
        Preprocessing(self.size, self.channels, self.fit, self.intensity)
        for option in fields(self):
            low, high = range_of(type(self), option.name)
            value = getattr(self, option.name)
            if isinstance(value, int | float) and not low <= value <= high:
                raise OptionError(option.name, f"choose a number from {low:g} to {high:g}", value)


@dataclass(frozen=True)
class TrainingOptions(Options):
    """Options of every method that trains with Adam on batches of images.

    Attributes
    ----------
    epochs, batch_size : int
        Length of training.
    keep_last : bool
        Whether an epoch ends with the images that fill no batch.
    lr, beta1, beta2, weight_decay : float
        Of Adam.
    steps : int or None
        If given, the number of training steps instead of `epochs`.
    most_images : int or None
        On more normal images than these, epochs become fewer, so that training makes no more steps than on so many.
    """

    scoring = Options.scoring | {"most_images"}  # what it changes, the numbers of epochs, counts itself
    in_epochs: ClassVar[tuple[str, ...]] = ("epochs",)  # options that count passes over the images

    epochs: int = ranged(250, 1)
    batch_size: int = ranged(64, 2)
    keep_last: bool = True
    lr: float = ranged(1e-3, 1e-12, 1)
    beta1: float = ranged(0.9, 0, 1 - 1e-9)
    beta2: float = ranged(0.999, 0, 1 - 1e-9)
    weight_decay: float = ranged(0.0, 0)
    steps: int | None = ranged(None, 1)
    most_images: int | None = ranged(None, 1)

    def for_images(self, normal: int) -> Self:
        """Return the options of a training on so many normal images, with fewer epochs if there are too many."""
        if self.most_images is None or normal <= self.most_images:
            return self
        share = self.most_images / normal
        counts = {name: getattr(self, name) for name in self.in_epochs}
        return replace(self, **{name: max(round(share * count), min(count, 1)) for name, count in counts.items()})

    def recipe(self, count: int) -> Recipe:
        """Return how long to train on `count` images."""
        return Recipe(count, self.batch_size, self.epochs, self.steps, self.keep_last)


# Preset standard of methods with these options; the largest sets of the DDAD-ASR paper have 4,000 normal images.
STANDARD: dict[str, Any] = {"holdout": 0.1, "most_images": 4000}


def _step(size: int) -> int:
    """Return of what the side must be a multiple: the networks halve it until it is at most 8."""
    step = 16
    while size // step > 8:
        step *= 2
    return step


def make_options(kind: type[T], values: Mapping[str, Any], method: str) -> T:
    """Return the options that `values` name, the others at their defaults.

    Raises
    ------
    OptionError
        For an option that `method` does not have, or a value of another type.
    """
    types = get_type_hints(kind)
    hints = {field.name: types[field.name] for field in fields(kind)}
    for name in values:
        if name not in hints:
            hint = closest(name, (*hints, *SETTINGS)) or f"; it has {', '.join(sorted(hints))}"
            raise OptionError(name, f"method {method} has no such option{hint}")
    return kind(**{name: _checked(name, value, hints[name]) for name, value in values.items()})


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return `value` if it is of the type that `hint` says; whole numbers are also taken for fractions."""
    allowed = get_args(hint) or (hint,)
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        raise OptionError(name, f"expected {' or '.join(TYPES[t.__name__] for t in allowed)}", value)
    return value
