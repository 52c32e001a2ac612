"""One phase or fit under way: its state, its next steps, its checkpoints."""

import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor

from medad.training.checkpoint import check_key, load_tensors, save_tensors
from medad.training.machine.recorded import RecordedStep
from medad.training.phase import Phase, generator_of
from medad.training.seeds import derive_seed
from medad.training.spec import Spec

CHECKPOINT_SECONDS = 20.0


class Job:
    """A phase or a fit under way.

    The order of images and everything random in a step are functions of (seed, step) alone, so
    weights, optimisers and the number of steps done are the whole state. On a GPU everything is
    launched into a stream of the phase's own, and nothing waits for it but checkpoints.

    Parameters
    ----------
    spec : Spec
        What to do.
    folder : Path
        See :func:`medad.training.loop.train_in_turns`.

    Attributes
    ----------
    done : int
        Number of steps made, on a GPU launched.
    """

    def __init__(self, spec: Spec, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        self.device = torch.device(spec.device)
        on_gpu = self.device.type == "cuda"
        self.stream = torch.cuda.Stream(self.device) if on_gpu else None
        with self._at_work():
            torch.default_generator.manual_seed(derive_seed(spec.seed, "init"))
            self.work = spec.make()
            self.done, losses = self._restored()
            self.losses = losses.to(self.device)
        if on_gpu and isinstance(self.work, Phase):
            self.work.step = RecordedStep(self.work.step, self.device)
        self.saved = time.monotonic()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.done == self.spec.steps

    def advance(self) -> None:
        """Make the steps of the next chunk; write what is due."""
        with self._at_work():
            self._chunk()
            epoch, rest = divmod(self.done, self.spec.recipe.steps_per_epoch)
            if self.spec.snapshots and rest == 0 and epoch % self.spec.snapshots == 0:
                self._save_result(f"{self.spec.name}.{epoch}")
            if self.finished:
                self._save_result(self.spec.name)
            elif time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                self.save()

    def save(self) -> None:
        """Write the state, for another job to go on from."""
        with self._at_work():
            path, state = partial_path(self.folder, self.spec.name), self.work.state() | {"losses": self.losses}
            save_tensors(path, state, step=self.done, key=self.spec.key)
        self.saved = time.monotonic()

    def _restored(self) -> tuple[int, Tensor]:
        """Take the state that there is; return the step to go on from and the losses so far."""
        path = partial_path(self.folder, self.spec.name)
        if not path.exists():
            return 0, torch.zeros(self.spec.steps)
        tensors, metadata = load_tensors(path)
        check_key(path, metadata, self.spec.key)
        self.work.load_state(tensors)
        return int(metadata["step"]), tensors["losses"]

    def _chunk(self) -> None:
        """Do the steps up to the end of the chunk."""
        recipe, seed, size = self.spec.recipe, self.spec.seed, self.spec.recipe.batch_size
        epoch, first = divmod(self.done, recipe.steps_per_epoch)
        batches = min(self.work.chunk_batches, recipe.steps_per_epoch - first, recipe.total_steps - self.done)
        index = recipe.order(seed, epoch, self.device)[first * size : (first + batches) * size]
        generator_of(self.device).manual_seed(derive_seed(seed, "step", self.done))
        for i, loss in enumerate(self.work.advance(index, size, self.done)):
            self.losses[self.done + i] = loss
        self.done += batches

    def _save_result(self, name: str) -> None:
        losses = {"losses": self.losses} if isinstance(self.work, Phase) else {}
        save_tensors(finished_path(self.folder, name), self.work.result() | losses, key=self.spec.key)

    def _at_work(self) -> AbstractContextManager[object]:
        torch.set_num_threads(self.spec.threads)
        return nullcontext() if self.stream is None else torch.cuda.stream(self.stream)


def finished_path(folder: Path, name: str) -> Path:
    """Return where a finished phase lies."""
    return folder / f"{name}.safetensors"


def partial_path(folder: Path, name: str) -> Path:
    """Return where the state of an unfinished phase lies."""
    return folder / f"{name}.partial.safetensors"
