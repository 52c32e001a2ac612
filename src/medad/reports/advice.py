"""What to do next after a run: a few rules."""

from collections.abc import Iterator

from medad.detectors.contract.detector import SPECIFICITY
from medad.reports.outcome import FEW, NEEDED, Outcome
from medad.reports.tables import percent


def next_steps(outcome: Outcome) -> Iterator[str]:
    """Yield what would help most, the test before the detector; at least one step."""
    steps = [*_for_the_test(outcome), *_for_the_score(outcome), *_for_the_threshold(outcome)]
    yield from steps or ["Look at the images with the worst errors: is it disease that the score sees?"]


def _for_the_test(outcome: Outcome) -> Iterator[str]:
    if not outcome.classes:
        yield (
            "Label about 50 images, normal and abnormal, chosen without looking at their scores, and list them as test "
            "images: then the report tells how well the scores can be trusted."
        )
    elif not outcome.own:
        missing = min(outcome.classes, key=lambda name: outcome.classes[name])
        yield f"Add {missing} test images: it takes both classes to tell accuracy."
    elif outcome.few:
        yield f"Add test images, until there are {FEW} of each class at least."


def _for_the_score(outcome: Outcome) -> Iterator[str]:
    if outcome.reversed:
        yield "Check the labels: 0 is normal, 1 abnormal. If they are right, use another method for these images."
    elif outcome.own and not outcome.better and not outcome.few:
        yield "Do not rely on this score: train longer (preset standard), on more normal images, or by another method."
    if outcome.own and not outcome.above_controls:
        yield (
            "Find out in what else normal and abnormal images differ, such as scanner, exposure or file format (see "
            "what sees no pathology below), and test on images that do not."
        )


def _for_the_threshold(outcome: Outcome) -> Iterator[str]:
    if outcome.threshold is None:
        yield (
            "For a threshold train with preset standard, which holds out a tenth of the normal images; with about "
            f"{10 * NEEDED} of them it can promise a specificity of {percent(SPECIFICITY)} %."
        )
        return
    if outcome.held_out is not None and outcome.held_out < NEEDED:
        yield (
            f"Hold out at least {NEEDED} normal images (more images, or a larger option holdout): "
            f"{outcome.held_out} cannot promise more than {percent(outcome.promised)} %."
        )
    if outcome.promise_broken:
        yield (
            "Choose the threshold anew on normal images from where it is used: medad calibrate scores them, medad "
            "predict --calibration decides by them. Normal images here score higher than those that were held out."
        )
