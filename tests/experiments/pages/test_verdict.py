"""Which runs are not judged by a paper."""

from dataclasses import replace

import pytest
from stored_runs import RUN

from medad.experiments.pages.verdict import shortened
from medad.experiments.stored import stored


@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        ("ae", {}, False),
        ("ae", {"form": "medianomaly", "epochs": 600}, False),
        ("ae", {"epochs": 100}, True),
        ("ae", {"steps": 10**6}, True),
        ("fanogan", {"steps": 1000}, True),
        ("fanogan", {"steps": 20_000, "kappa": 2.0}, False),
        ("fanogan", {"encoder_steps": 10}, True),
    ],
)
def test_a_training_is_shortened_if_it_is_shorter_than_the_papers(method, options, expected, results):
    (result,) = stored("brain_tumor", results)
    run = RUN | {"method": method, "config": {"preset": "paper", "options": options}}
    assert shortened(replace(result, run=run)) == expected
