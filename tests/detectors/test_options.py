"""Options of detectors are checked before anything is trained."""

import pytest

from medad.detectors.ddad import DDADOptions
from medad.detectors.options import Options, make_options
from medad.errors import UserError


def test_values_are_taken_over():
    options = make_options(DDADOptions, {"lr": 1, "steps": None, "backbone": "ae", "refine": False}, "ddad")
    assert options == DDADOptions(lr=1.0, steps=None, backbone="ae", refine=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": "abc"}, "--options.epochs abc: expected int"),
        ({"epochs": True}, "--options.epochs True: expected int"),
        ({"epochs": 1.5}, "--options.epochs 1.5: expected int"),
        ({"steps": "x"}, "--options.steps x: expected int or none"),
        ({"refine": 1}, "--options.refine 1: expected bool"),
        ({"nonsense": 1}, "--options.nonsense: method ddad has no such option"),
        ({"size": 100}, "--size 100: choose a multiple of 16"),
        ({"channels": 2}, "--channels 2: choose 1"),
        ({"holdout": 1}, "--options.holdout 1.0: choose a number from 0 to 0.9"),
        ({"batch_size": 1}, "--options.batch_size 1: choose a number from 2"),
        ({"p_synth": 7}, "--options.p_synth 7.0: choose a number from 0 to 1"),
        ({"size": 144}, "--size 144: choose a multiple of 32"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(UserError, match=message):
        make_options(DDADOptions, values, "ddad")


def test_an_option_with_a_flag_of_its_own_is_named_by_it():
    with pytest.raises(UserError, match="--backbone: method ae has no such option"):
        make_options(Options, {"backbone": "ae"}, "ae")


def test_only_options_are_listed():
    with pytest.raises(UserError, match=r"it has channels, holdout, size$"):
        make_options(Options, {"nonsense": 1}, "ae")
