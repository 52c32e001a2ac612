"""Who stands in two splits, and what names of files suggest."""

import pytest

from medad.data.audit.patients import across, from_names, parted, read_pattern, suggested
from medad.errors import OptionError


def test_what_stands_in_two_splits_is_counted():
    keys = ["p", "p", "q", "", "p", "r", "q", ""]
    splits = ["normal", "normal", "normal", "normal", "test", "test", "unlabeled", "test"]
    assert across(keys, splits) == [
        {"splits": ["normal", "unlabeled"], "shared": 1, "images": [2, 6]},
        {"splits": ["normal", "test"], "shared": 1, "images": [0, 1, 4]},
    ]


def test_two_sides_of_a_patient_in_different_splits():
    patients, sides = ["p", "p", "q", "q", "r", ""], ["L", "R", "L", "R", "L", "L"]
    assert parted(patients, sides, ["normal", "test", "normal", "normal", "test", "test"]) == 1
    assert parted(["p", "p"], ["L", "L"], ["normal", "test"]) == 0


def test_a_pattern_names_patients():
    names = ["a/12_1.png", "b/12_2.png", "b/x.png", "7_left.jpg"]
    assert from_names(names, read_pattern(r"^(\d+)_")) == ["12", "12", "", "7"]
    with pytest.raises(OptionError, match="brackets"):
        read_pattern(r"^\d+_")
    with pytest.raises(OptionError, match="regular expression"):
        read_pattern("(")


def test_names_suggest_patients_only_where_they_look_like_it():
    films = [f"images/{patient:05}_{film:03}.png" for patient in range(20) for film in range(3)]
    assert suggested(films) == [f"{patient:05}" for patient in range(20) for _ in range(3)]
    assert suggested([f"images/Te-no_{i:04}.jpg" for i in range(60)]) == []  # a number of its own each
    assert suggested([f"scan2_{i}.png" for i in range(60)]) == []  # one beginning for all
    assert suggested([f"{i}_x.png" for i in range(60)]) == []  # each once
    assert suggested([]) == []
