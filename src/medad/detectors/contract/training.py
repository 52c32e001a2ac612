"""The stages of a training, one after the other, and what they leave."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from medad.training.checkpoint import load_tensors
from medad.training.job import finished_path
from medad.training.phase_store import PhaseStore
from medad.training.spec import Spec, Sweep
from medad.training.workers import train_phases


@dataclass
class Trained:
    """What a training leaves.

    Attributes
    ----------
    networks, fitted : dict
        Weights of all networks, and the tensors of all fits, by name.
    losses : dict
        Mean loss of each epoch by phase.
    """

    networks: dict[str, Tensor] = field(default_factory=dict)
    fitted: dict[str, Tensor] = field(default_factory=dict)
    losses: dict[str, np.ndarray] = field(default_factory=dict)

    def take(self, spec: Spec, folder: Path) -> None:
        """Add what the finished phase or fit has left in `folder`."""
        result, _ = load_tensors(finished_path(folder, spec.name))
        losses = result.pop("losses", None)  # a fit has some only where an earlier version made it as a phase
        if isinstance(spec.recipe, Sweep) or losses is None:
            self.fitted |= result
        else:
            self.networks |= result
            self.losses[spec.name] = _epoch_means(losses.numpy(), spec.recipe.steps_per_epoch)


def train(stages: Sequence[Sequence[Spec]], folder: Path, jobs: int, store: PhaseStore | None) -> Trained:
    """Train all stages, with their state in `folder`.

    Parameters
    ----------
    stages : sequence of sequence of Spec
        The phases and fits of a stage are independent of each other.
    folder : Path
        Where each finds those of earlier stages.
    jobs : int
        Number of cores to fill.
    store : PhaseStore, optional
        What lies there already is not trained again; what is trained is put there.
    """
    trained = Trained()
    for i, stage in enumerate(stages):
        with store.shared(stage, folder) if store else nullcontext():
            train_phases(stage, folder, jobs, f"training, stage {i + 1} of {len(stages)}")
        for spec in stage:
            trained.take(spec, folder)
    return trained


def _epoch_means(losses: np.ndarray, steps: int) -> np.ndarray:
    return np.array([losses[i : i + steps].mean() for i in range(0, len(losses), steps)])
