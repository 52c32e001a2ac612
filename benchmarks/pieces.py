"""The pieces of the protocol that are timed: the reference's, and medad's own through its trainer and ``predict``."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from benchmarks import reference_loop as loop
from benchmarks.compose import Protocol
from benchmarks.images import as_pil, make_pixels, make_set
from benchmarks.plan import Plan
from benchmarks.timing import Piece
from medad.detectors.contract.plan import TrainingData
from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.ddad import DDAD, DDADOptions
from medad.detectors.ddad.ensemble import Ensemble
from medad.networks.autoencoder import AE
from medad.training.checkpoint import network_state, save_tensors
from medad.training.job import finished_path
from medad.training.spec import Spec
from medad.training.workers import train_phases

REFERENCE = ("ndm_epoch", "udm_epoch", "refine_step", "member_image", "scored_image")


class OneRefiner(Ensemble):
    """The networks of a DDAD with one ASR-Net."""

    @property
    def refiners(self) -> dict[str, str]:
        """That of R_dual only."""
        return {"r_dual": "r_dual"}


class DualOnly(DDAD):
    """DDAD with one ASR-Net, as the protocol has it."""

    ensemble_type = OneRefiner


def make_detector(precision: str, steps: int = 1, refine_steps: int = 1) -> DualOnly:
    """Return the protocol's detector, not fitted, on the CPU; `precision` is that of training and of scoring."""
    options = DDADOptions(backbone="ae", steps=steps, refine_steps=refine_steps)
    return DualOnly(options, precision=precision, scoring_precision=precision, device="cpu")


class ReferencePieces:
    """The reference's pieces, named as `REFERENCE` has them."""

    def __init__(self, plan: Plan, p: Protocol) -> None:
        self.plan, self.p = plan, p
        self.normal = as_pil(make_pixels(p.normal, 64))
        self.everything = self.normal + as_pil(make_pixels(p.unlabeled, 64, seed=1))
        self.member, self.refiner = loop.plain(AE()), loop.plain(ASRNet(2))
        self.adam, self.refiner_adam = loop.adam(self.member, 5e-4), loop.adam(self.refiner, 1e-4, 1e-4)
        frozen = [loop.plain(AE()).eval().requires_grad_(False) for _ in range(2 * p.members)]
        self.maps_of = partial(loop.discrepancy_maps, frozen[: p.members], frozen[p.members :])

    def pieces(self) -> list[Piece]:
        """Return an epoch of each kind of network, steps of ASR-Net, and both kinds of tests."""
        work: list[tuple[Callable[[], object], int]] = [
            (partial(self.train_member, self.normal), 1),
            (partial(self.train_member, self.everything), 1),
            (self.train_refiner, self.plan.reference_steps),
            (self.test_member, self.plan.reference_tested),
            (self.score, self.plan.reference_scored),
        ]
        return [Piece(f"reference/{name}", run, units) for name, (run, units) in zip(REFERENCE, work, strict=True)]

    def train_member(self, images: Sequence[Image]) -> None:
        """Train a network for an epoch."""
        loop.train_autoencoder(self.member, self.adam, loop.batches(loop.Normalised(images), self.p.batch_size))

    def train_refiner(self) -> None:
        """Train ASR-Net for the first steps of an epoch."""
        batches = loop.batches(loop.WithForeignPatches(self.normal), self.p.refine_batch_size)
        loop.train_refiner(self.refiner, self.refiner_adam, islice(batches, self.plan.reference_steps), self.maps_of)

    def test_member(self) -> None:
        """Pass images through one network."""
        loop.reconstruction_scores(self.member, self._first(self.plan.reference_tested))

    def score(self) -> None:
        """Pass images through all networks."""
        loop.refined_scores(self.refiner, self._first(self.plan.reference_scored), self.maps_of)

    def _first(self, count: int) -> Iterator[Tensor]:
        images = loop.Normalised(self.normal)
        return (images[i] for i in range(count))


class OurPieces:
    """Medad's pieces in one precision.

    Parameters
    ----------
    precision : str
        ``"fp32"`` or ``"bf16"``.
    folder : Path
        Its own, for images, networks and checkpoints.
    plan, p
        How much of what is measured.
    """

    def __init__(self, precision: str, folder: Path, plan: Plan, p: Protocol) -> None:
        self.precision, self.folder, self.plan = precision, folder, plan
        self.detector = make_detector(precision).untrained(unlabeled=True)  # speed does not depend on the weights
        self.images = make_set(make_pixels(plan.scored, 64))
        files = tuple(folder / f"{name}.npy" for name in ("normal", "unlabeled"))
        for seed, (file, count) in enumerate(zip(files, (p.normal, p.unlabeled), strict=True)):
            np.save(file, make_pixels(count, 64, seed))
        self.data = TrainingData(files, (p.normal, p.unlabeled), ("normal", "unlabeled"))
        for name in self.detector.ensembles[0].members:
            save_tensors(finished_path(folder, name), network_state({name: self.detector.networks_[name]}))
        self.phase = self._stages()[0][0].make()
        self.phase.advance(torch.arange(p.batch_size), p.batch_size, 0)  # so that its optimiser has a state

    @property
    def processes(self) -> int:
        """How many networks are trained at a time."""
        return min(self.detector.jobs, len(self._stages()[0]))

    def pieces(self) -> list[Piece]:
        """Return two lengths of training networks and of training ASR-Net, a checkpoint, and the scoring."""
        found = []
        for steps in self.plan.member_steps:
            found.append(Piece(f"{self.precision}/members/{steps}", partial(self.train_members, steps), steps))
        for steps in self.plan.refine_steps:
            found.append(Piece(f"{self.precision}/refiner/{steps}", partial(self.train_refiner, steps), steps))
        found.append(Piece(f"{self.precision}/checkpoint", self.write_checkpoint, 1))
        return [*found, Piece(f"{self.precision}/scoring", self.score, len(self.images))]

    def train_members(self, steps: int) -> None:
        """Train as many networks as there are processes, of NDM and UDM in turn, `steps` steps each."""
        specs = self._stages(steps=steps)[0]
        half = len(specs) // 2
        in_turn = [spec for pair in zip(specs[:half], specs[half:], strict=True) for spec in pair]
        self._train(in_turn[: self.processes])

    def train_refiner(self, steps: int) -> None:
        """Train ASR-Net on the maps of all networks."""
        self._train(self._stages(refine_steps=steps)[1])

    def write_checkpoint(self) -> None:
        """Write what the trainer keeps of a network from time to time."""
        save_tensors(self.folder / "checkpoint.safetensors", self.phase.state() | {"losses": torch.zeros(1)}, step=1)

    def score(self) -> None:
        """Compute all scores and maps of all images."""
        for _ in self.detector.predict(self.images):
            pass

    def _stages(self, steps: int = 1, refine_steps: int = 1) -> list[list[Spec]]:
        detector = make_detector(self.precision, steps, refine_steps)
        return detector.stages(detector.plan(self.data, self.folder))

    def _train(self, specs: Sequence[Spec]) -> None:
        with TemporaryDirectory(dir=self.folder) as out:
            train_phases(specs, Path(out), self.detector.jobs, f"{self.precision}, {specs[0].steps} steps")
