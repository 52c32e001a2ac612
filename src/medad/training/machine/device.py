"""Where networks are trained and score."""

import torch

from medad.errors import OptionError


def choose_device(device: str) -> torch.device:
    """Return the device of that name: ``"auto"`` (CUDA when there), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises
    ------
    OptionError
        If there is none.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise OptionError("device", "choose auto, cpu, cuda or cuda:N", device) from None
    if chosen.type not in ("cpu", "cuda"):
        raise OptionError("device", "choose auto, cpu, cuda or cuda:N", device)
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise OptionError("device", "no such GPU here; choose cpu", device)
    return chosen
