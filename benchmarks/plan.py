"""How much is measured: all of it, or a quick look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of the measured pieces.

    Attributes
    ----------
    rounds : int
        How often all pieces are run in turn.
    member_steps, refine_steps : tuple of int
        The two lengths of our training runs, whose difference gives the time of a step.
    reference_steps, reference_tested, reference_scored : int
        ASR-Net steps of the reference, and images that it passes one at a time through one network
        and through all.
    scored : int
        Images that medad scores.
    peak_seconds : float
        Time for each kernel of the arithmetic peak.
    counts, sizes : tuple of int
        Numbers of images (at 64 x 64) and sides of images (1,000 of them) for the table of scaling.
    scaling_steps : tuple of int
        The two lengths of training there.
    """

    rounds: int = 5
    member_steps: tuple[int, int] = (50, 250)
    refine_steps: tuple[int, int] = (25, 150)
    reference_steps: int = 125
    reference_tested: int = 400
    reference_scored: int = 200
    scored: int = 1200
    peak_seconds: float = 1.0
    counts: tuple[int, ...] = (1_000, 10_000, 100_000)
    sizes: tuple[int, ...] = (128, 256)
    scaling_steps: tuple[int, int] = (10, 60)


FULL = Plan()
QUICK = Plan(
    rounds=2,
    member_steps=(10, 110),
    refine_steps=(5, 45),
    reference_steps=15,
    reference_tested=100,
    reference_scored=60,
    scored=600,
    peak_seconds=0.3,
    counts=(1_000, 10_000),
    sizes=(128,),
    scaling_steps=(5, 40),
)
