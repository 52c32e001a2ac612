"""What a training run is told; importable without torch, so that help is instant."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medad.errors import OptionError, UserError

if TYPE_CHECKING:
    from medad.data.preprocessing import Preprocessing

Backbone = Literal["ae", "memae", "aeu"]
Preset = Literal["paper", "standard", "quick", "tiny"]
Precision = Literal["fp32", "tf32", "bf16"]

RUNS = Path("runs")  # where run folders lie unless --out says otherwise
# A run may be resumed on another machine: jobs change no result, a device no more than its rounding does.
# What is done about leaks changes none either: it is said, or nothing is trained.
MACHINE = ("device", "jobs", "leaks")


@dataclass(frozen=True)
class TrainOptions:
    """Options of training.

    Parameters
    ----------
    method : str
        Which method learns; `medad methods` lists them.
    backbone : {'ae', 'memae', 'aeu'}, optional
        Reconstruction network inside DDAD and D2UE.
    preset : {'paper', 'standard', 'quick', 'tiny'}
        The recipe to start from; standard holds out normals for a threshold and averages the weights of
        ASR-Net (chosen on test images of brain_tumor), quick is for a first look, tiny for tests.
    size : int
        Side in pixels to which images are resized: 64, 128 or 256; by default (0) what suits the method: 64, on
        frozen features 128, for those that learn from synthetic anomalies 128, in preset paper 224 or 256.
    channels : {1, 3}
        1 reads images as grey, 3 as RGB.
    fit : {'stretch', 'pad', 'crop'}, optional
        What becomes of images that are not square: stretched (the default), black margins, the middle alone.
    intensity : str, optional
        Which value becomes black and which white: dtype, file, window LO HI, percentile P Q, dicom (the default: the
        window of the file, the range of the stored type where there is none), or ddad (of preset paper).
    unlabeled_size : int, optional
        Number of unlabeled images to draw; by default as many as there can be at the anomaly rate.
    anomaly_rate : float
        Share of abnormal images among the unlabeled ones, where their labels are known.
    ensemble_size : int, optional
        Number of networks in each module of DDAD, at least 2.
    seed : int
        All that is random comes from it.
    precision : {'fp32', 'tf32', 'bf16'}
        Precision of training.
    device : str
        auto (CUDA when there), cpu, cuda or cuda:N.
    jobs : int, optional
        Number of processes; all cores by default. Results do not depend on it.
    leaks : {'say', 'refuse'}
        What is done about patients, files and identical bytes in two splits: they are said, or nothing is trained.
    options : dict
        Any further option of the method, as --options.NAME VALUE.

    Raises
    ------
    UserError
        For a number out of its range, or a further option that has a name of its own here.
    """

    method: str = "ddad"
    backbone: Backbone | None = None
    preset: Preset = "standard"
    size: int = 0
    channels: Literal[1, 3] = 1
    fit: Literal["stretch", "pad", "crop"] | None = None
    intensity: str | None = None
    unlabeled_size: int | None = None
    anomaly_rate: float = 0.6
    ensemble_size: int | None = None
    seed: int = 0
    precision: Precision = "fp32"
    device: str = "auto"
    jobs: int | None = None
    leaks: Literal["say", "refuse"] = "say"
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check ranges that no single method knows about."""
        if self.size == 0:
            object.__setattr__(self, "size", default_size(self.method, self.preset))
        for name, least in (("size", 1), ("unlabeled_size", 1), ("seed", 0), ("jobs", 1)):
            at_least(name, getattr(self, name), least)
        if not 0 <= self.anomaly_rate <= 1:
            raise OptionError("anomaly_rate", "must lie between 0 and 1", self.anomaly_rate)
        if self.intensity is not None:
            from medad.data.intensity import Intensity

            Intensity.parse(self.intensity)
        for name in self.options:
            if name in {f.name for f in fields(self)}:
                raise UserError(f"`options.{name}`: write `{name}` instead")

    def detector_options(self) -> dict[str, Any]:
        """Return what overrides the preset: options of the method that were given."""
        named = {
            "size": self.size,
            "channels": self.channels,
            "fit": self.fit,
            "intensity": self.intensity,
            "backbone": self.backbone,
            "ensemble_size": self.ensemble_size,
        }
        return {name: value for name, value in named.items() if value is not None} | self.options

    @property
    def preprocessing(self) -> "Preprocessing":
        """How files become images."""
        from medad.data.intensity import default_intensity
        from medad.data.preprocessing import Preprocessing

        rule = self.intensity or default_intensity(self.preset)
        return Preprocessing(self.size, self.channels, self.fit or "stretch", rule)


def default_size(method: str, preset: str) -> int:
    """Return the side of the images that `method` sees unless told otherwise; of an unknown one, the usual."""
    from medad.detectors.registry import METHODS

    return METHODS[method].side(preset) if method in METHODS else 64


def at_least(name: str, value: int | None, least: int) -> None:
    """Refuse an option that was given and is too small.

    Raises
    ------
    OptionError
        If it is.
    """
    if value is not None and value < least:
        raise OptionError(name, f"must be at least {least}", value)
