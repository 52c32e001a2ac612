"""Names, families and papers of all methods, known without importing torch."""

import difflib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medad.errors import UserError

if TYPE_CHECKING:
    from medad.detectors.base import Detector

PRESETS = ("paper", "standard", "quick", "tiny")


@dataclass(frozen=True)
class MethodInfo:
    """What is known about a method before it is loaded.

    Attributes
    ----------
    name, family, paper : str
        The name on the command line, the field's family of methods, and the source.
    maps, uses_unlabeled : bool
        Whether it gives anomaly maps, and whether unlabeled images help it.
    module, cls : str
        Where its class stands.
    """

    name: str
    family: str
    maps: bool
    uses_unlabeled: bool
    paper: str
    module: str
    cls: str

    def load(self) -> "type[Detector]":
        """Import the method's class."""
        return getattr(import_module(self.module), self.cls)


_DDAD = "Cai et al., Dual-distribution discrepancy with self-supervised refinement, MedIA 2023"
METHODS = {
    info.name: info
    for info in (
        MethodInfo("ddad", "ensemble", True, True, _DDAD, "medad.detectors.ddad", "DDAD"),
        MethodInfo(
            "ae",
            "reconstruction",
            True,
            False,
            f"{_DDAD} (backbone AE)",
            "medad.detectors.reconstruction",
            "AEDetector",
        ),
        MethodInfo(
            "memae",
            "reconstruction",
            True,
            False,
            "Gong et al., Memorizing normality to detect anomaly, ICCV 2019",
            "medad.detectors.reconstruction",
            "MemAEDetector",
        ),
        MethodInfo(
            "aeu",
            "reconstruction",
            True,
            False,
            "Mao et al., Abnormality detection in chest X-ray images using uncertainty prediction AE, MICCAI 2020",
            "medad.detectors.reconstruction",
            "AEUDetector",
        ),
    )
}


def method_info(name: str) -> MethodInfo:
    """Return what is known about method `name`.

    Raises
    ------
    UserError
        If there is no such method; the closest name is suggested.
    """
    if name in METHODS:
        return METHODS[name]
    close = difflib.get_close_matches(name, METHODS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(METHODS)}"
    raise UserError(f"--method {name}: no such method; {hint}")


def make_detector(
    name: str,
    preset: str = "standard",
    *,
    seed: int = 0,
    precision: str = "fp32",
    device: str = "auto",
    jobs: int | None = None,
    **options: Any,
) -> "Detector":
    """Return an unfitted detector.

    Parameters
    ----------
    name : str
        A name in `METHODS`.
    preset : str
        One of `PRESETS`: the options to start from.
    seed, precision, device, jobs
        See :class:`medad.detectors.base.Detector`.
    **options
        Override single options of the preset.

    Raises
    ------
    UserError
        For an unknown method, preset or option.
    """
    cls = method_info(name).load()
    if preset not in cls.presets:
        raise UserError(f"--preset {preset}: choose from {', '.join(cls.presets)}")
    return cls.from_options(cls.presets[preset] | options, seed=seed, precision=precision, device=device, jobs=jobs)


def load_detector(folder: Path, **machine: Any) -> "Detector":
    """Return the fitted detector of a run folder; executes nothing that the folder contains.

    Parameters
    ----------
    folder : Path
        Run folder.
    **machine
        `scoring_precision`, `device` and `jobs`: see :class:`medad.detectors.base.Detector`.

    Raises
    ------
    UserError
        If the folder holds no finished run.
    """
    from medad.training.run import read_run

    run = read_run(Path(folder))
    if "method" not in run:
        raise UserError(f"{folder}: the run is not finished; go on with --resume")
    return method_info(str(run["method"])).load().load(Path(folder), **machine)
