"""On what was measured: the kind of machine, never its name."""

import datetime
import os
import re
import time
from pathlib import Path
from typing import Any

import torch

from medad.cores import cores
from medad.workflows.provenance import versions

FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def describe() -> dict[str, Any]:
    """Return model and cores of the processor, its instructions that matter here, its load, versions, date."""
    found = versions(torch.device("cpu"))
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8", errors="replace") if info.exists() else ""
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    flags = facts.get("flags", "").split()
    return {
        "slug": slug(found["cpu"], cores()),
        **found,
        "cpu_family": facts.get("cpu family", ""),
        "cpu_model": facts.get("model", ""),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "load": round(load(), 1),
        "date": datetime.date.today().isoformat(),
    }


def load(seconds: float = 1.0) -> float:
    """Return how many cores other processes keep busy; 0 where the system does not tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0

    def busy() -> int:
        user, nice, system, _idle, _waiting, *rest = map(int, stat.read_text().split("\n")[0].split()[1:9])
        return user + nice + system + sum(rest)

    before = busy()
    time.sleep(seconds)
    return (busy() - before) / os.sysconf("SC_CLK_TCK") / seconds


def slug(cpu: str, cores: int) -> str:
    """Return a short name for a file, e.g. ``intel-xeon-gold-6430-4-cores``."""
    words = re.sub(r"\((r|tm)\)|@.*|\b(cpu|processor|\d+-core)\b", " ", cpu.lower())
    return "-".join([*re.findall(r"[a-z0-9.]+", words), str(cores), "cores"])
