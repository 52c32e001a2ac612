"""The composition of the protocol's time, computed by hand."""

import pytest

from benchmarks.compose import Line, Ours, Protocol, Reference, protocol_seconds, ratios

# One network in each module: 2 and 4 steps an epoch, 10 epochs, tests of the NDM at epochs 1, 4 and 8.
SMALL = Protocol(
    normal=20, unlabeled=25, test=6, members=1, epochs=10, batch_size=10, member_test_every=4, refine_epochs=3,
    refine_batch_size=5,
)  # fmt: skip


def test_steps_and_tests_of_the_published_recipe():
    p = Protocol()
    assert (p.ndm_steps, p.udm_steps, p.member_tests) == (15, 31, 11)
    assert p.member_steps == 3 * 250 * (15 + 31)
    assert p.refine_steps == 100 * 125


def test_a_line_through_two_lengths():
    line = Line.through((10, 3.0), (30, 4.0))
    assert line.each == pytest.approx(0.05)
    assert line.start == pytest.approx(2.5)
    assert line.at(100) == pytest.approx(7.5)


def test_times_of_the_whole_protocol():
    reference = Reference(ndm_epoch=2, udm_epoch=5, refine_step=0.5, member_image=0.1, scored_image=0.25)
    ours = Ours(members=Line(1.0, 0.2), processes=2, refiner=Line(2.0, 0.25), checkpoints=0.1, scored_image=0.05)
    seconds = protocol_seconds(SMALL, reference, {"fp32": ours})
    # 10 (2 + 5) + 3 epochs of 4 steps of 0.5; tests: 3 of the NDM and 3 of ASR-Net, of 6 images each
    assert seconds["reference_without_tests"] == pytest.approx(70 + 6)
    assert seconds["reference"] == seconds["reference_equal_tests"] == pytest.approx(76 + 1.8 + 4.5)
    # 60 steps by 2 processes: 1 + 30 * 0.2, and a tenth for checkpoints; 2 + 12 * 0.25; a scoring of 6 images takes 0.3
    assert seconds["fp32_without_tests"] == pytest.approx(7.7 + 5)
    assert seconds["fp32"] == pytest.approx(13)
    assert seconds["fp32_equal_tests"] == pytest.approx(12.7 + 6 * 0.3)


def test_ratios_are_the_reference_s_time_by_ours():
    seconds = {"reference": 12.0, "reference_without_tests": 10.0, "bf16": 3.0, "bf16_without_tests": 4.0}
    assert ratios(seconds) == {"ratio_bf16": 4.0, "ratio_bf16_without_tests": 2.5}
