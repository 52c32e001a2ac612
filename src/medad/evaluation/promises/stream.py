"""A stream of cases: evidence, case by case, that they are no longer what they were."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BETS = (-1.0, 0.0, 1.0)  # that p-values are low, that they are uniform, that they are high
JUMP = 0.01  # share of the capital that changes its bet at each case


@dataclass(frozen=True)
class Stream:
    """The scores seen so far, and the capital of a gambler who bets that the next ones differ from them.

    Each case has a p-value among all that came before it. While all are exchangeable these p-values are independent
    and uniform, and the chance that the capital, which begins at 1, ever reaches 20 is at most 1 in 20 (Ville's
    inequality). The bets are those of the simple jumper (Vovk et al., Retrain or not retrain, COPA 2021).

    Attributes
    ----------
    scores : tuple of float
        Those of the cases before, the reference first; ascending.
    capital : tuple of float
        On each of `BETS`.
    cases : int
        Number of cases after the reference.
    """

    scores: tuple[float, ...]
    capital: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    cases: int = 0

    @classmethod
    def beginning(cls, reference: np.ndarray) -> "Stream":
        """Return a stream whose first cases are held against `reference`, (m,) scores."""
        return cls(tuple(sorted(map(float, reference))))

    @property
    def evidence(self) -> float:
        """The capital: 1 is none, 20 is some, 100 is much."""
        return sum(self.capital)

    def after(self, scores: Sequence[float] | np.ndarray, seed: int = 0) -> "Stream":
        """Return the stream after more cases, in their order; ties are broken at random, by `seed` and the case."""
        seen, capital, bets = list(self.scores), np.array(self.capital), np.array(BETS)
        for number, score in enumerate(map(float, scores), self.cases):
            above, reached = len(seen) - bisect_right(seen, score), len(seen) - bisect_left(seen, score)
            chance = np.random.default_rng((seed, number)).random()
            p = (above + chance * (reached - above + 1)) / (len(seen) + 1)
            capital = ((1 - JUMP) * capital + JUMP * capital.mean()) * (1 + bets * (p - 0.5))
            insort(seen, score)
        return Stream(tuple(seen), tuple(capital.tolist()), self.cases + len(scores))
