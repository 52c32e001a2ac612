"""Options of detectors are checked before anything is trained."""

import pickle
from dataclasses import replace

import pytest

from medad.detectors.contract.options import Options, TrainingOptions, make_options
from medad.detectors.ddad.options import DDADOptions
from medad.detectors.registry import METHODS, PRESETS, make_detector
from medad.errors import OptionError, UserError


def test_values_are_taken_over():
    options = make_options(DDADOptions, {"lr": 1, "steps": None, "backbone": "ae", "refine": False}, "ddad")
    assert options == DDADOptions(lr=1.0, steps=None, backbone="ae", refine=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": "abc"}, "epochs='abc': expected a whole number"),
        ({"epochs": True}, "epochs=True: expected a whole number"),
        ({"epochs": 1.5}, "epochs=1.5: expected a whole number"),
        ({"steps": "x"}, "steps='x': expected a whole number or none"),
        ({"refine": 1}, "refine=1: expected true or false"),
        ({"nonsense": 1}, "nonsense: method ddad has no such option"),
        ({"size": 100}, "size=100: choose a multiple of 16"),
        ({"channels": 2}, "channels=2: choose 1"),
        ({"holdout": 1}, "holdout=1.0: choose a number from 0 to 0.9"),
        ({"batch_size": 1}, "batch_size=1: choose a number from 2"),
        ({"p_synth": 7}, "p_synth=7.0: choose a number from 0 to 1"),
        ({"size": 144}, "size=144: choose a multiple of 32"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(UserError, match=message):
        make_options(DDADOptions, values, "ddad")


def test_an_option_with_a_flag_of_its_own_is_named_by_it():
    with pytest.raises(UserError, match="backbone: method ae has no such option"):
        make_options(Options, {"backbone": "ae"}, "ae")


@pytest.mark.parametrize(
    ("name", "meant"), [("bakbone", "backbone"), ("ensemble-size", "ensemble_size"), ("job", "jobs")]
)
def test_the_option_that_was_meant_is_named(name, meant):
    with pytest.raises(UserError, match=f"^{name}: method ddad has no such option; did you mean {meant}[?]$"):
        make_detector("ddad", "tiny", **{name: 1})


def test_an_option_is_told_as_its_reader_types_it_and_may_cross_processes():
    with pytest.raises(OptionError) as raised:
        make_detector("ddad", "tiny", ensemble_size="3")
    error = pickle.loads(pickle.dumps(raised.value))
    assert str(error) == "ensemble_size='3': expected a whole number"
    assert error.typed("--ensemble-size") == "--ensemble-size 3: expected a whole number"


def test_only_options_are_listed():
    with pytest.raises(UserError, match=r"it has channels, fit, holdout, intensity, size$"):
        make_options(Options, {"nonsense": 1}, "ae")


@pytest.mark.parametrize("method", METHODS)
def test_only_standard_makes_fewer_epochs_of_many_images(method):
    found = {preset: make_detector(method, preset, device="cpu").options for preset in PRESETS}
    for preset, options in found.items():
        expected = 4000 if preset == "standard" and isinstance(options, TrainingOptions) else None
        assert getattr(options, "most_images", None) == expected
        assert options.for_images(4000) == options


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("ddad", {"epochs": 125, "refine_epochs": 25}),
        ("deep_svdd", {"epochs": 75, "milestone": 25, "pretrain_epochs": 175, "pretrain_milestone": 125}),
        ("aae", {"epochs": 125, "warm_up": 3}),
        ("dae", {}),  # an epoch is a number of steps there
        ("anogan", {}),
    ],
)
def test_twice_as_many_images_are_seen_half_as_often(method, expected):
    options = make_detector(method, "standard", device="cpu").options
    assert options.for_images(8000) == replace(options, **expected)


def test_there_is_always_an_epoch_and_never_one_where_none_was_asked_for():
    options = make_detector("deep_svdd", "standard", device="cpu", milestone=0).options.for_images(10**9)
    assert (options.epochs, options.milestone) == (1, 0)
