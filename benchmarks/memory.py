"""The most memory that this process has held."""

import resource
import sys
from contextlib import suppress
from pathlib import Path


def forget_peak() -> int:
    """Let the highest memory be that of now, where the system can; return it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak()


def peak() -> int:
    """Return the highest resident memory since `forget_peak`, in bytes; without Linux, since the start."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
