"""The published checkpoints of DDAD-ASR as a fitted detector, scored in their authors' way."""

import math
import pickle
from pathlib import Path

import torch
from torch import Tensor

from medad.detectors.ddad.ddad import DDAD
from medad.detectors.ddad.ensemble import Ensemble
from medad.detectors.ddad.options import DDADOptions
from medad.errors import UserError

MODULE_FOLDERS = {"ndm": "b", "udm": "a"}  # the official code's letters
REFINER_FILES = {"r_intra": "refine_intra.pth", "r_dual": "refine_dual.pth"}


def load_published(folder: Path, backbone: str, size: int = 64, channels: int = 1, device: str = "auto") -> DDAD:
    """Return a DDAD detector with the weights that the official code (caiyu6666/DDAD-ASR) saved.

    Scores follow the official code: standard deviation with divisor K - 1, log(sigma^2) not
    clamped, ASR-Net's inputs in the order [inter, intra] (its first layer is swapped here).
    ``save`` makes a run folder of it for ``medad evaluate`` and ``medad predict``.

    Parameters
    ----------
    folder : Path
        Holds ``a`` (UDM) and ``b`` (NDM), one state dict per member, read in the order of their
        names, and, if refined, ``refine/refine_dual.pth`` and ``refine/refine_intra.pth``.
    backbone : str
        ``"ae"``, ``"memae"`` or ``"aeu"``.
    size, channels : int
        Of the images that it was trained on.
    device : str
        See :class:`medad.detectors.contract.detector.Detector`.

    Raises
    ------
    UserError
        If a file is missing, is no state dict, or does not fit the backbone.
    """
    folder = Path(folder)
    files = {module: sorted((folder / sub).glob("*.pth")) for module, sub in MODULE_FOLDERS.items()}
    present = [name for name, file in REFINER_FILES.items() if (folder / "refine" / file).exists()]
    sizes = {len(found) for found in files.values()}
    if len(sizes) != 1 or not files["ndm"]:
        raise UserError(f"{folder}: folders a and b must hold the same number of .pth files, one per member")
    if present and len(present) < len(REFINER_FILES):
        raise UserError(f"{folder}/refine: {' and '.join(REFINER_FILES.values())} are needed, or neither")
    options = DDADOptions(
        size=size,
        channels=channels,
        backbone=backbone,
        ensemble_size=sizes.pop(),
        refine=bool(present),
        bessel=True,
        log_variance_limit=math.inf,
    )
    detector, modules = DDAD(options, device=device), Ensemble(options, True).modules
    paths = {name: path for m, found in files.items() for name, path in zip(modules[m], found, strict=True)}
    paths |= {name: folder / "refine" / REFINER_FILES[name] for name in present}
    tensors = {f"{name}/{key}": value for name, path in paths.items() for key, value in _state(path).items()}
    if present:
        first = "r_dual/model.0.weight"
        tensors[first] = tensors[first][:, [1, 0]]
    try:
        detector.load_state(tensors, unlabeled=True)
    except (KeyError, RuntimeError, IndexError) as error:
        raise UserError(f"{folder}: not the weights of backbone {backbone} at size {size} ({error!s:.200})") from error
    return detector


def _state(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(f"{path}: not a readable state dict ({error.__class__.__name__})") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path}: not a state dict")
    return state
