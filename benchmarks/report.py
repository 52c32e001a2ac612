"""From timed pieces to the ratios that are stored."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.compose import Line, Ours, Protocol, Reference, protocol_seconds, ratios
from benchmarks.pieces import REFERENCE
from benchmarks.timing import Piece
from medad.training.job import CHECKPOINT_SECONDS

PRECISIONS = ("fp32", "bf16")

_COMPOSED = (
    "composed: the reference from its times for an epoch of an NDM and of a UDM network, an ASR-Net step and an image "
    "in each kind of test; medad from lines through two lengths of training by its own trainer, one for the networks "
    "of NDM and UDM with all cores at work, one for ASR-Net"
)
PROTOCOL_HOW = {
    "": f"{_COMPOSED}; the reference with its tests during training, medad with one scoring of the test images",
    "_without_tests": f"{_COMPOSED}; training alone",
    "_equal_tests": f"{_COMPOSED}; medad charged with a scoring of the test images for each test of the reference",
}
SCORING_HOW = "measured: six AE and one ASR-Net; the reference one image at a time, medad by predict's default batches"


class Costs:
    """The costs of the reference and of medad in one view of the timings.

    Parameters
    ----------
    pieces : sequence of Piece
        What was timed.
    processes : int
        How many networks medad trains at a time.
    of : callable
        The time of a piece: its median, or that of one round.
    """

    def __init__(self, pieces: Sequence[Piece], processes: int, of: Callable[[Piece], float]) -> None:
        self.timed = {piece.name: (piece.units, of(piece)) for piece in pieces}
        self.reference = Reference(**{name: self._each(f"reference/{name}") for name in REFERENCE})
        self.ours = {
            precision: Ours(
                self._line(f"{precision}/members/"),
                processes,
                self._line(f"{precision}/refiner/"),
                self._each(f"{precision}/checkpoint") / CHECKPOINT_SECONDS,
                self._each(f"{precision}/scoring"),
            )
            for precision in PRECISIONS
        }

    def _each(self, name: str) -> float:
        units, seconds = self.timed[name]
        return seconds / units

    def _line(self, start: str) -> Line:
        return Line.through(*sorted(timed for name, timed in self.timed.items() if name.startswith(start)))

    def protocol(self, p: Protocol) -> dict[str, float]:
        """Return the ratios of the whole protocol."""
        return ratios(protocol_seconds(p, self.reference, self.ours))

    def scoring(self) -> dict[str, float]:
        """Return the ratios of scoring."""
        return {f"ratio_{name}": self.reference.scored_image / ours.scored_image for name, ours in self.ours.items()}

    def rates(self, p: Protocol) -> dict[str, dict[str, float]]:
        """Return images per second, on all cores: training networks, training ASR-Net, scoring."""
        r, images = self.reference, p.batch_size * (p.ndm_steps + p.udm_steps)
        found = {
            "member_step": {"reference": images / (r.ndm_epoch + r.udm_epoch)},
            "refine_step": {"reference": p.refine_batch_size / r.refine_step},
            "scoring": {"reference": 1 / r.scored_image},
        }
        for precision, ours in self.ours.items():
            found["member_step"][precision] = ours.processes * p.batch_size / ours.members.each
            found["refine_step"][precision] = p.refine_batch_size / ours.refiner.each
            found["scoring"][precision] = 1 / ours.scored_image
        return found


def summarise(pieces: Sequence[Piece], processes: int, p: Protocol) -> dict[str, Any]:
    """Return the sections ``protocol``, ``scoring``, ``rates`` and ``pieces`` of a result."""
    costs = Costs(pieces, processes, lambda piece: piece.median)
    rounds = [Costs(pieces, processes, partial(_of_round, i)) for i in range(len(pieces[0].seconds))]
    protocol = _ratios(
        costs.protocol(p), [r.protocol(p) for r in rounds], lambda name: PROTOCOL_HOW[name.removeprefix("ratio_")[4:]]
    )
    return {
        "protocol": protocol | {"seconds": protocol_seconds(p, costs.reference, costs.ours)},
        "scoring": _ratios(costs.scoring(), [r.scoring() for r in rounds], lambda _: SCORING_HOW),
        "rates": costs.rates(p),
        "pieces": {piece.name: {"units": piece.units, "seconds": piece.seconds} for piece in pieces},
    }


def _of_round(number: int, piece: Piece) -> float:
    return piece.seconds[number]


def _ratios(
    found: Mapping[str, float], rounds: Sequence[Mapping[str, float]], how: Callable[[str], str]
) -> dict[str, Any]:
    """Return the ratios with their ranges over the rounds and how each was measured."""
    ranges = {name: [min(r[name] for r in rounds), max(r[name] for r in rounds)] for name in found}
    return {**found, "range": ranges, "how": {name: how(name) for name in found}}


def shares(rates: Mapping[str, Mapping[str, float]], flops: Mapping[str, float], peak: Mapping[str, float]) -> dict:
    """Return which share of the arithmetic peak of its precision each rate is; the reference computes in fp32."""
    return {
        what: {who: rate * flops[what] / peak[who if who in peak else "fp32"] for who, rate in row.items()}
        for what, row in rates.items()
    }
