"""The rows of the study of synthetic anomalies: which methods, in which forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from medad.detectors.registry import method_info
from medad.workflows.options import TrainOptions

FOLDER = "synthetic"
METHODS = ("fpi", "pii", "nsa", "nsa_nu", "cutpaste_e2e", "cutpaste", "anatpaste", "draem")
PRETRAINED = ("cutpaste",)  # published from ImageNet's weights, too


@dataclass(frozen=True)
class Row:
    """A method under a preset, starred where unlabeled images are sources of what is pasted.

    Attributes
    ----------
    encoder : str
        Of methods that begin with ImageNet's weights: whose they are; empty for all others.
    seed : int
        Of the training, and of who is held out.
    """

    method: str
    starred: bool
    preset: str
    encoder: str = ""
    seed: int = 0

    @classmethod
    def of_stored(cls, about: Mapping[str, Any]) -> Self:
        """Return the row of which this is stored."""
        options = about["options"]
        encoder = options.get("encoder", "").replace("scratch", "")
        return cls(about["method"], options.get("use_unlabeled", False), about["preset"], encoder, about["seed"])

    @property
    def name(self) -> str:
        """Of its files."""
        preset, seed = self.preset.replace("paper", ""), f"seed{self.seed}" if self.seed else ""
        return "-".join(filter(None, (self.method, "starred" * self.starred, self.encoder, preset, seed)))

    def options(self, options: Mapping[str, Any] | None = None, **settings: Any) -> TrainOptions:
        """Return how it is trained; the arguments are those of `TrainOptions` that rows share."""
        own: dict[str, Any] = {"use_unlabeled": self.starred} if has_star(self.method) else {}
        own |= {"encoder": self.encoder} if self.encoder else {}
        told: dict[str, Any] = {"method": self.method, "preset": self.preset, "seed": self.seed} | settings
        return TrainOptions(**told, options=own | dict(options or {}))


def has_star(method: str) -> bool:
    """Whether the method can paste parts of unlabeled images."""
    return method_info(method).load().uses_unlabeled


def rows_of(preset: str, methods: Sequence[str] = METHODS, seeds: Sequence[int] = (0,)) -> list[Row]:
    """Return the rows of a preset."""
    rows = [Row(m, star, preset) for m in methods for star in (False, True)[: 1 + has_star(m)]]
    rows += [Row(m, False, preset, "efficientnet_lite0") for m in methods if m in PRETRAINED]
    return [replace(row, seed=seed) for row in rows for seed in seeds]
