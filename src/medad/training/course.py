"""One phase on its way: its state, its next steps, its checkpoints."""

import time
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from medad.training.checkpoint import load_phase, save_phase, save_result
from medad.training.phase import PhaseSpec, generator_of
from medad.training.recorded import RecordedStep
from medad.training.seeds import derive_seed

CHECKPOINT_SECONDS = 20.0
CPU = torch.device("cpu")


class Course:
    """A phase in training.

    The order of images and everything random in a step are functions of (seed, step) alone, so
    weights, optimisers and the number of steps done are the whole state. On a GPU everything is
    launched into a stream of the phase's own, and nothing waits for it but checkpoints.

    Parameters
    ----------
    spec : PhaseSpec
        What to train.
    folder : Path
        See :func:`medad.training.loop.train_in_turns`.

    Attributes
    ----------
    done : int
        Number of steps made, on a GPU launched.
    """

    def __init__(self, spec: PhaseSpec, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        on_gpu = torch.device(spec.device).type == "cuda"
        self.stream = torch.cuda.Stream(spec.device) if on_gpu else None
        with self._at_work():
            torch.default_generator.manual_seed(derive_seed(spec.seed, "init"))
            self.phase = spec.build()
            self.device = self.phase.device
            self.done, losses = self._restored()
            self.losses = losses.to(self.device)
        self.step = RecordedStep(self.phase.step, self.device) if on_gpu else self.phase.step
        self.saved = time.monotonic()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done == self.spec.steps

    def advance(self) -> None:
        """Make the steps of the next chunk; write what is due."""
        with self._at_work():
            self._chunk()
            epoch, rest = divmod(self.done, self.spec.steps_per_epoch)
            if self.spec.snapshots and rest == 0 and epoch % self.spec.snapshots == 0:
                self._save_result(f"{self.spec.name}.{epoch}")
            if self.finished:
                self._save_result(self.spec.name)
            elif time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                self.save()

    def save(self) -> None:
        """Write the state, for another course to go on from."""
        with self._at_work():
            save_phase(partial_path(self.folder, self.spec.name), self.phase, self.done, self.losses, self.spec.key)
        self.saved = time.monotonic()

    def _restored(self) -> tuple[int, Tensor]:
        partial = partial_path(self.folder, self.spec.name)
        if partial.exists():
            return load_phase(partial, self.phase, self.spec.key)
        return 0, torch.zeros(self.spec.steps)

    def _chunk(self) -> None:
        """Prepare and make the steps up to the end of the chunk."""
        recipe, seed, size = self.phase.recipe, self.spec.seed, self.phase.recipe.batch_size
        epoch, first = divmod(self.done, recipe.steps_per_epoch)
        batches = min(self.phase.chunk_batches, recipe.steps_per_epoch - first, recipe.total_steps - self.done)
        index = epoch_order(recipe.count, seed, epoch, self.device)[first * size : (first + batches) * size]
        generator_of(self.device).manual_seed(derive_seed(seed, "step", self.done))
        rows = self.phase.prepare(index)
        for i in range(batches):
            if self.phase.schedule is not None:
                self.phase.schedule(self.done)
            self.losses[self.done] = self.step(tuple(r[i * size : (i + 1) * size] for r in rows))
            self.done += 1

    def _save_result(self, name: str) -> None:
        save_result(finished_path(self.folder, name), self.phase, self.losses, self.spec.key)

    def _at_work(self) -> AbstractContextManager[object]:
        torch.set_num_threads(self.spec.threads)
        return nullcontext() if self.stream is None else torch.cuda.stream(self.stream)


def finished_path(folder: Path, name: str) -> Path:
    """Return where a finished phase lies."""
    return folder / f"{name}.safetensors"


def partial_path(folder: Path, name: str) -> Path:
    """Return where the state of an unfinished phase lies."""
    return folder / f"{name}.partial.safetensors"


@lru_cache(maxsize=16)  # as many courses may take turns
def epoch_order(count: int, seed: int, epoch: int, device: torch.device = CPU) -> Tensor:
    """Return the order in which the images of an epoch are seen: a permutation of 0 … count - 1; not to be changed."""
    generator = torch.Generator(device).manual_seed(derive_seed(seed, "order", epoch))
    return torch.randperm(count, generator=generator, device=device)
