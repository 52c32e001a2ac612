"""The training loop: order, random state, checkpoints and resume of one phase."""

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from medad.training.checkpoint import check_key, load_phase, read_metadata, save_phase, save_result
from medad.training.phase import Phase, PhaseSpec
from medad.training.seeds import derive_seed

CHECKPOINT_SECONDS = 20.0

Report = Callable[[int], None]


class Interrupted(Exception):
    """Training was asked to stop; what was done is in the checkpoint."""


def train_phase(spec: PhaseSpec, folder: Path, report: Report, stop: Callable[[], bool]) -> None:
    """Train the phase that `spec` describes and leave it in ``folder/NAME.safetensors``.

    The order of images and everything random in a step are functions of (seed, step) alone, so
    weights, optimisers and the number of steps done are the whole state: a phase that was
    stopped and resumed ends with the same weights: bit for bit on a CPU.

    Parameters
    ----------
    spec : PhaseSpec
        What to train.
    folder : Path
        Where the result and, until then, ``NAME.partial.safetensors`` are kept. A finished
        phase with the same key is left as it is; a partial one goes on.
    report : callable
        Told how many steps were made since it was last called.
    stop : callable
        Asked between steps; when true the state is saved and `Interrupted` raised.

    Raises
    ------
    UserError
        If the folder holds the phase with another key.
    MedadError
        If a checkpoint cannot be written.
    """
    finished, partial = finished_path(folder, spec.name), folder / f"{spec.name}.partial.safetensors"
    if finished.exists():
        check_key(finished, read_metadata(finished), spec.key)
        partial.unlink(missing_ok=True)
        report(spec.steps)
        return
    with torch.random.fork_rng(devices=[]):  # all draws are made on the CPU
        torch.default_generator.manual_seed(derive_seed(spec.seed, "init"))
        phase = spec.build()
        done, losses = 0, torch.zeros(spec.steps)
        if partial.exists():
            done, losses = load_phase(partial, phase, spec.key)
            report(done)
        saved = time.monotonic()
        while done < spec.steps:
            if stop():
                save_phase(partial, phase, done, losses, spec.key)
                raise Interrupted
            after = _chunk(phase, spec.seed, done, losses)
            report(after - done)
            done = after
            epoch, rest = divmod(done, spec.steps_per_epoch)
            if spec.snapshots and rest == 0 and epoch % spec.snapshots == 0:
                save_result(folder / f"{spec.name}.{epoch}.safetensors", phase, losses, spec.key)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                save_phase(partial, phase, done, losses, spec.key)
                saved = time.monotonic()
        save_result(finished, phase, losses, spec.key)
    partial.unlink(missing_ok=True)


def finished_path(folder: Path, name: str) -> Path:
    """Return where a finished phase lies."""
    return folder / f"{name}.safetensors"


def _chunk(phase: Phase, seed: int, done: int, losses: Tensor) -> int:
    """Prepare and make the steps from `done` to the end of its chunk; return the steps done then."""
    recipe = phase.recipe
    epoch, first = divmod(done, recipe.steps_per_epoch)
    batches = min(phase.chunk_batches, recipe.steps_per_epoch - first, recipe.total_steps - done)
    size = recipe.batch_size
    index = epoch_order(recipe.count, seed, epoch)[first * size : (first + batches) * size]
    torch.default_generator.manual_seed(derive_seed(seed, "step", done))
    rows = phase.prepare(index)
    found = [phase.step(tuple(r[i * size : (i + 1) * size] for r in rows), done + i) for i in range(batches)]
    losses[done : done + batches] = torch.stack(found).cpu()  # one look at the device for the whole chunk
    return done + batches


@lru_cache(maxsize=1)
def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """Return the order in which the images of an epoch are seen: a permutation of 0 … count - 1; not to be changed."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(count, generator=generator)
