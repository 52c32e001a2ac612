"""The comparison behind the demo: candidates, scores and figures without labels."""

import numpy as np
import pytest

from medad.data.phantom.benchmark import phantom_benchmark
from medad.detectors.registry import make_detector
from medad.evaluation.metrics import auroc
from medad.experiments.studies import demo


@pytest.fixture
def quick_is_short(monkeypatch):
    """Make preset quick as short as the tests need it."""
    make = make_detector
    monkeypatch.setattr(demo, "make_detector", lambda method, preset, **o: make(method, "tiny", jobs=1, **o))


def test_unlabeled_images_are_held_against_held_out_normal_ones(quick_is_short):
    *_, table = demo.page((demo.Candidate("aeu", 8, {"epochs": 2}),), held_out=5)
    (line,) = [line for line in table.splitlines() if "aeu" in line]
    data = phantom_benchmark(normal=13, level="plain", seed=1)
    detector = make_detector("aeu", "tiny", epochs=2, jobs=1).fit(data.normal.subset(np.arange(8)))
    kept, unlabeled = (
        np.concatenate([p.scores["a_rec"] for p in detector.predict(images)])
        for images in (data.normal.subset(np.arange(8, 13)), data.unlabeled)
    )
    expected = auroc(np.repeat([0, 1], [5, len(unlabeled)]), np.concatenate([kept, unlabeled]))
    assert f"| aeu, epochs 2 | 8 | a_rec | {100 * expected:.1f} [" in line


def test_the_demo_s_own_training_is_a_candidate():
    from medad.workflows import demo as command

    (own,) = [one for one in demo.CANDIDATES if one.method == command.METHOD and one.normal == command.NORMAL]
    assert own.options["epochs"] == command.OPTIONS["epochs"]
