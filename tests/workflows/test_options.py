"""Options of training: defaults, ranges and what reaches the detector."""

import pytest

from medad.errors import UserError
from medad.workflows.options import TrainOptions


def test_options_left_out_do_not_reach_the_detector():
    assert TrainOptions().detector_options() == {"size": 64, "channels": 1}


def test_named_and_further_options_reach_the_detector():
    options = TrainOptions(backbone="ae", ensemble_size=5, size=128, options={"p_synth": 0.3})
    expected = {"size": 128, "channels": 1, "backbone": "ae", "ensemble_size": 5, "p_synth": 0.3}
    assert options.detector_options() == expected


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"jobs": 0}, {"size": -64}, {"unlabeled_size": 0}, {"anomaly_rate": -0.1}]
)
def test_a_number_out_of_range_is_named(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(UserError, match=f"{name}={value}"):
        TrainOptions(**wrong)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_anomaly_rate_may_be_none_or_all(rate):
    assert TrainOptions(anomaly_rate=rate).anomaly_rate == rate
