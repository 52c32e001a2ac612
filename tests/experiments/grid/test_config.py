"""From a YAML file to cells."""

from dataclasses import replace
from pathlib import Path

import pytest

from medad.errors import UserError
from medad.experiments.grid.config import read_grid

RESULTS = Path(__file__).parents[3] / "docs" / "results"

GRID = """
data: [brain, {path: chest, split: other.json, name: chest-other}]
seeds: [0, 5]
runs:
  - {method: ddad, backbone: [ae, aeu], preset: tiny, options: {refine_epochs: [1, 2], lr: 0.01}}
  - {method: ae, name: autoencoder}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "grid.yaml"
    file.write_text(text)
    return file


def test_lists_are_crossed(tmp_path):
    cells = read_grid(write(tmp_path, GRID)).cells
    assert len(cells) == 2 * 2 * (4 + 1)
    assert {cell.label for cell in cells} == {
        "ddad-ae, refine_epochs 1",
        "ddad-ae, refine_epochs 2",
        "ddad-aeu, refine_epochs 1",
        "ddad-aeu, refine_epochs 2",
        "autoencoder",
    }
    assert {cell.data.name for cell in cells} == {"brain", "chest-other"}
    assert cells[0].data.path == tmp_path / "brain"
    assert cells[-1].data.split == tmp_path / "other.json"
    assert cells[0].options.options == {"refine_epochs": 1, "lr": 0.01}
    assert cells[0].options.preset == "tiny"
    assert [cell.options.seed for cell in cells[:2]] == [0, 5]


def test_folders_of_data_may_lie_elsewhere(tmp_path):
    grid = read_grid(write(tmp_path, "data: [brain]\nruns: [{method: ddad, backbone: ae}]\n"), tmp_path / "images")
    assert grid.cells[0].data.path == tmp_path / "images" / "brain"
    assert grid.cells[0].label == "ddad-ae"


def test_methods_may_be_listed_and_names_tell_what_is_varied(tmp_path):
    runs = "runs: [{method: [ae, aeu]}, {method: ddad, backbone: [ae, aeu], name: both}, {preset: tiny}]"
    labels = [cell.label for cell in read_grid(write(tmp_path, f"data: [brain]\n{runs}\n")).cells]
    assert labels == ["ae", "aeu", "both, backbone ae", "both, backbone aeu", "ddad"]


def test_keys_depend_on_all_but_the_machine(tmp_path):
    cell = read_grid(write(tmp_path, GRID)).cells[0]
    key = cell.key("print", 1, {"lr": 0.01})
    moved = replace(cell, label="x", options=replace(cell.options, jobs=7, device="cpu"))
    assert moved.key("print", 1, {"lr": 0.01}) == key
    changed = [replace(cell, options=replace(cell.options, **o)) for o in ({"seed": 9}, {"size": 128})]
    others = [
        cell.key("other", 1, {"lr": 0.01}),
        cell.key("print", 2, {"lr": 0.01}),
        cell.key("print", 1, {"lr": 0.02}),
        *(other.key("print", 1, {"lr": 0.01}) for other in changed),
    ]
    assert len({key, *others}) == 6


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("runs: [{method: ae}]", "list the folders under data"),
        ("data: [a]", "list the folders under data, and the methods under runs"),
        ("data: [a]\nruns: [{method: ae}]\nseed: 1", "seed: no such section"),
        ("data: [a]\nruns: [{method: ae, epoch: 1}]", "epoch"),
        ("data: [a]\nruns: [{method: ae, seed: 1}]", "seed"),
        ("data: [a]\nruns: [{method: ae, size: big}]", "size"),
        ("data: [a]\nruns: [{method: ae}, {method: ae, size: 128}]", "'ae' on a, seed 0 is there twice"),
        ("data: [a]\nseeds: [0, 0]\nruns: [{method: ae}]", "'ae' on a, seed 0 is there twice"),
        ("data: [a]\nruns: [{method: ae, name: 2}]", "name: 2: give a text"),
        ("data: [{folder: a}]\nruns: [{method: ae}]", "folder"),
        ("data: [a", "not readable"),
        ("data: plain\nruns: [{method: ae}]", "data: plain: give a list"),
        ("data: [{name: x}]\nruns: [{method: ae}]", "data: .*: give path"),
        ("data: [a]\nruns: [ae]", "runs: ae: give names with values"),
        ("data: [a]\nruns: [{method: ae, options: [1]}]", "options: .*: give names with values"),
        ("data: [a]\nruns: [{method: ae, size: []}]", "size: an empty list"),
        ("data: [a]\nseeds: 3\nruns: [{method: ae}]", "seeds: 3: give a list"),
    ],
)
def test_faults_name_the_file_and_what_is_wrong(tmp_path, text, fault):
    with pytest.raises(UserError, match=fault) as error:
        read_grid(write(tmp_path, text))
    assert str(error.value).startswith(str(tmp_path / "grid.yaml"))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.yaml: not readable"):
        read_grid(tmp_path / "none.yaml")


@pytest.mark.parametrize("file", sorted(RESULTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_project_s_own_grids_can_be_read(file):
    assert read_grid(file).cells
