"""The training loop: order, random state, checkpoints and resume of one phase."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


def train_phase(
    spec: PhaseSpec, folder: Path, report: Report, stop: Callable[[], bool], until: int | None = None
) -> int:
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
        Told the number of steps that are done.
    stop : callable
        Asked between steps; when true the state is saved and `Interrupted` raised.
    until : int, optional
        Number of steps after which the state is saved for another call to go on; the last by default.

    Returns
    -------
    int
        The number of steps that are done.

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
        done = spec.steps
    else:
        with _arithmetic(spec):
            done = _train(spec, folder, partial, report, stop, spec.steps if until is None else until)
    if done == spec.steps:
        partial.unlink(missing_ok=True)
    report(done)
    return done


@contextmanager
def _arithmetic(spec: PhaseSpec) -> Iterator[None]:
    """Compute with the threads and the initial random state of the phase; leave the process as it was."""
    threads = torch.get_num_threads()
    torch.set_num_threads(spec.threads)
    try:
        with torch.random.fork_rng(devices=[]):  # all draws are made on the CPU
            torch.default_generator.manual_seed(derive_seed(spec.seed, "init"))
            yield
    finally:
        torch.set_num_threads(threads)


def _train(spec: PhaseSpec, folder: Path, partial: Path, report: Report, stop: Callable[[], bool], until: int) -> int:
    """Go on from the checkpoint, if there is one, to step `until`; return the number of steps done."""
    phase = spec.build()
    done, losses = load_phase(partial, phase, spec.key) if partial.exists() else (0, torch.zeros(spec.steps))
    saved = time.monotonic()
    while done < until:
        if stop():
            save_phase(partial, phase, done, losses, spec.key)
            raise Interrupted
        done = _chunk(phase, spec.seed, done, losses)
        report(done)
        epoch, rest = divmod(done, spec.steps_per_epoch)
        if spec.snapshots and rest == 0 and epoch % spec.snapshots == 0:
            save_result(folder / f"{spec.name}.{epoch}.safetensors", phase, losses, spec.key)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save_phase(partial, phase, done, losses, spec.key)
            saved = time.monotonic()
    if done == spec.steps:
        save_result(finished_path(folder, spec.name), phase, losses, spec.key)
    else:
        save_phase(partial, phase, done, losses, spec.key)
    return done


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
