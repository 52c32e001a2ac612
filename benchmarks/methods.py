"""What the presets of every method cost: ``python -m benchmarks.methods [METHOD ...]``.

Steps of every phase or fit are timed in one process with the phase's number of threads, on made-up images; times of a
whole training are composed from them. Writes ``benchmarks/results/methods/MACHINE.json``, keeping what it has of other
methods; ``medad results methods`` shows it.
"""

import argparse
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.images import make_pixels
from benchmarks.machine import describe
from benchmarks.run import RESULTS
from benchmarks.timing import say
from medad.cores import cores
from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import METHODS, make_detector
from medad.files import replacing
from medad.memory import keep_freed_memory
from medad.training.checkpoint import network_state, save_tensors
from medad.training.job import finished_path
from medad.training.machine.denormals import flushed
from medad.training.spec import Recipe, Work

METHOD_RESULTS = RESULTS / "methods"
MEASURED = ("paper", "standard", "quick")
IMAGES = 1000
SECONDS = 5.0  # a phase is measured for at least so long, or for its whole length


@dataclass(frozen=True)
class Cost:
    """What a phase takes: its number of steps, the threads it computes with, and the seconds of a step."""

    phase: str
    stage: int
    steps: int
    threads: int
    step_seconds: float


def measure(method: str, precision: str = "fp32", preset: str = "paper", seconds: float = SECONDS) -> list[Cost]:
    """Time steps of every phase of `method`, networks of earlier phases hardly trained.

    Phases that train alike, whose names differ in a number, are timed once.
    """
    detector = make_detector(method, preset, precision=precision, device="cpu")
    with TemporaryDirectory(prefix="medad-bench-") as name:
        folder = Path(name)
        files = tuple(folder / f"{part}.npy" for part in ("normal", "unlabeled")[: 1 + detector.uses_unlabeled])
        for seed, file in enumerate(files):
            np.save(file, make_pixels(IMAGES, detector.options.size, seed))
        counts = (IMAGES,) * len(files)
        data = TrainingData(files, counts, tuple(map(str, counts)))
        stages = detector.stages(detector.plan(data, folder))
        untrained = network_state(detector.untrained(detector.uses_unlabeled).networks_)
        for spec in [spec for stage in stages for spec in stage]:
            save_tensors(finished_path(folder, spec.name), untrained)
        known: dict[str, float] = {}
        found = []
        for i, stage in enumerate(stages):
            for spec in stage:
                kind = re.sub(r"_\d+$", "", spec.name)
                if kind not in known:
                    work = spec.make()
                    known[kind] = _step_seconds(work, spec.recipe, spec.threads, seconds)
                    save_tensors(finished_path(folder, spec.name), untrained | work.result())
                found.append(Cost(spec.name, i, spec.steps, spec.threads, known[kind]))
    return found


def _step_seconds(work: Work, recipe: Recipe, threads: int, seconds: float) -> float:
    """Return the time of a step, its share of drawing included; the first chunk is not counted."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    batches = min(work.chunk_batches, recipe.steps_per_epoch)
    index = torch.randperm(recipe.count)[: batches * recipe.batch_size]
    with flushed():  # as the training loop does
        work.advance(index, recipe.batch_size, 0)
        done, begin = 0, time.perf_counter()
        while not done or time.perf_counter() - begin < seconds:
            work.advance(index, recipe.batch_size, batches + done)
            done += batches
        return (time.perf_counter() - begin) / done


def hours(costs: Sequence[Cost], processors: int) -> float:
    """Return the hours of a whole training on `processors` cores.

    The phases of a stage are dealt out to the cores so that all end together, but a phase is in one process at a
    time: a stage takes its share of a core, or its longest phase.
    """
    total = 0.0
    for stage in {cost.stage for cost in costs}:
        own = [cost for cost in costs if cost.stage == stage]
        work = sum(cost.steps * cost.step_seconds * min(cost.threads, processors) for cost in own)
        total += max(work / processors, *(cost.steps * cost.step_seconds for cost in own))
    return total / 3600


def main() -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__)
    parser.add_argument("methods", nargs="*", default=list(METHODS), help="by default all")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for which a phase is measured")
    a = parser.parse_args()
    keep_freed_memory()  # as processes that train do
    machine = describe()
    out = METHOD_RESULTS / f"{machine['slug']}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))["methods"] if out.exists() else {}
    for method in a.methods:
        costs = {preset: measure(method, preset=preset, seconds=a.seconds) for preset in MEASURED}
        took = {preset: hours(some, cores()) for preset, some in costs.items()}
        found[method] = {
            "hours": took["paper"],
            "standard_minutes": 60 * took["standard"],
            "quick_minutes": 60 * took["quick"],
            "phases": [asdict(cost) for cost in costs["paper"]],
        }
        say(f"{method}: {', '.join(f'preset {preset} {time:.2f} h' for preset, time in took.items())}")
        document = {"machine": machine, "images": IMAGES, "methods": dict(sorted(found.items()))}
        with replacing(out) as file:
            file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
