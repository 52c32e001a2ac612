"""From measured pieces to the time of the whole protocol: the arithmetic, without any measuring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Protocol:
    """NDM, UDM and one ASR-Net of the published recipe, with the sizes of brain_tumor.

    The reference tests each NDM network at epoch 1 and at every 25th, no UDM network, and ASR-Net
    after every epoch.
    """

    normal: int = 1000
    unlabeled: int = 1000
    test: int = 1200
    members: int = 3
    epochs: int = 250
    batch_size: int = 64
    member_test_every: int = 25
    refine_epochs: int = 100
    refine_batch_size: int = 8

    @property
    def ndm_steps(self) -> int:
        """Steps of an epoch of an NDM network."""
        return self.normal // self.batch_size

    @property
    def udm_steps(self) -> int:
        """Steps of an epoch of a UDM network."""
        return (self.normal + self.unlabeled) // self.batch_size

    @property
    def member_steps(self) -> int:
        """Steps of all networks of both modules."""
        return self.members * self.epochs * (self.ndm_steps + self.udm_steps)

    @property
    def refine_steps(self) -> int:
        """Steps of ASR-Net."""
        return self.refine_epochs * (self.normal // self.refine_batch_size)

    @property
    def member_tests(self) -> int:
        """How often each NDM network is tested."""
        return len({1, *range(self.member_test_every, self.epochs + 1, self.member_test_every)})


@dataclass(frozen=True)
class Line:
    """Time of a run of n steps: `start` + n * `each`, in seconds."""

    start: float
    each: float

    @classmethod
    def through(cls, short: tuple[int, float], long: tuple[int, float]) -> Self:
        """Return the line through two measurements (steps, seconds)."""
        each = (long[1] - short[1]) / (long[0] - short[0])
        return cls(short[1] - short[0] * each, each)

    def at(self, steps: float) -> float:
        """Return the time of `steps` steps."""
        return self.start + steps * self.each


@dataclass(frozen=True)
class Reference:
    """Seconds that the reference takes: for an epoch of a network, an ASR-Net step, an image of a test."""

    ndm_epoch: float
    udm_epoch: float
    refine_step: float
    member_image: float
    scored_image: float

    def training(self, p: Protocol) -> float:
        """Return the time of all training."""
        members = p.members * p.epochs * (self.ndm_epoch + self.udm_epoch)
        return members + p.refine_steps * self.refine_step

    def tests(self, p: Protocol) -> float:
        """Return the time of the tests during training."""
        return p.test * (p.members * p.member_tests * self.member_image + p.refine_epochs * self.scored_image)


@dataclass(frozen=True)
class Ours:
    """Seconds that medad takes.

    Attributes
    ----------
    members : Line
        Time for n steps of each of as many networks as there are processes, all at work.
    processes : int
        How many networks of NDM and UDM train at a time.
    refiner : Line
        Time for n steps of ASR-Net.
    checkpoints : float
        Time for writing checkpoints by time of training networks: the measured lengths end before the first is due.
    scored_image : float
        Time to score an image, many at once.
    """

    members: Line
    processes: int
    refiner: Line
    checkpoints: float
    scored_image: float

    def training(self, p: Protocol) -> float:
        """Return the time of all training; the trainer deals steps out so that processes end together."""
        members = self.members.at(p.member_steps / self.processes) * (1 + self.checkpoints)
        return members + self.refiner.at(p.refine_steps)

    def test(self, p: Protocol) -> float:
        """Return the time to score all test images once."""
        return p.test * self.scored_image


def protocol_seconds(p: Protocol, reference: Reference, ours: Mapping[str, Ours]) -> dict[str, float]:
    """Return the seconds of the whole protocol, for the reference and for medad in each precision.

    ``X``: with the tests; medad scores the test images once, at the end. ``X_without_tests``: training
    alone. ``X_equal_tests``: medad too is charged a scoring of all test images, by all networks, for
    every time the reference tests its NDM networks or ASR-Net.
    """
    training, tests = reference.training(p), reference.tests(p)
    found = {
        "reference": training + tests,
        "reference_without_tests": training,
        "reference_equal_tests": training + tests,
    }
    for precision, o in ours.items():
        found[precision] = o.training(p) + o.test(p)
        found[f"{precision}_without_tests"] = o.training(p)
        found[f"{precision}_equal_tests"] = o.training(p) + (p.member_tests + p.refine_epochs) * o.test(p)
    return found


def ratios(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return ``ratio_PRECISION`` and its variants: time of the reference divided by ours."""
    return {
        f"ratio_{name}": seconds[name.replace(name.split("_")[0], "reference", 1)] / value
        for name, value in seconds.items()
        if not name.startswith("reference")
    }
