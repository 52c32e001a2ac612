"""With what a run was made: versions and the kind of machine, never its name."""

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from medad.version import __version__


def versions(device: torch.device) -> dict[str, str]:
    """Return the versions of what computed, the kind of machine and, on CUDA, the GPU."""
    found = {"medad": __version__, "python": platform.python_version()}
    found |= {name: version(name) for name in ("torch", "numpy", "pillow")}
    found |= {"system": platform.system(), "cpu": _cpu(), "device": device.type}
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def _cpu() -> str:
    """Return the model of the processor; Linux keeps it in a file, other systems tell Python."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
