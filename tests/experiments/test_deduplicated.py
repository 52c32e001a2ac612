"""Which test images are no near-duplicates: the stored lists, and what is left of a table of scores."""

import os
from pathlib import Path

import pytest

from medad.errors import UserError
from medad.experiments.deduplicated import clean_ids, deduplicated
from medad.experiments.studies.deduplicated import write

RESULTS = Path(__file__).parents[2] / "docs" / "results"
DATA = Path(os.environ.get("MEDAD_DATA", ""))


def data_set(folder, name, text):
    (folder / "images").mkdir(parents=True)
    for i in range(4):
        (folder / "images" / f"{i}.png").touch()
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "data_deduplicated.json",
            '{"train": {"0": [], "unlabeled": {"0": [], "1": []}}, "test": {"0": ["0.png"], "1": ["3.png"]}}',
        ),
        ("manifest_deduplicated.csv", "path,split,label\nimages/0.png,test,0\nimages/3.png,test,1\n"),
    ],
)
def test_either_form_of_split_is_found_and_stored(tmp_path, name, text):
    data_set(tmp_path / "data" / "some", name, text)
    (tmp_path / "results" / "some").mkdir(parents=True)
    write("some", tmp_path / "data", tmp_path / "results")
    assert deduplicated("some", tmp_path / "results") == {"images/0.png", "images/3.png"}
    assert deduplicated("other", tmp_path / "results") is None


def test_a_data_set_without_such_a_split_is_named(tmp_path):
    folder = data_set(tmp_path / "some", "manifest.csv", "path,split,label\nimages/0.png,test,0\n")
    assert clean_ids(folder) is None
    with pytest.raises(UserError, match=r"some: has no data_deduplicated\.json"):
        write("some", tmp_path, tmp_path)


@pytest.mark.skipif(not DATA.name, reason="MEDAD_DATA names no folder of real images")
@pytest.mark.parametrize("name", sorted(folder.name for folder in RESULTS.iterdir() if folder.is_dir()))
def test_the_stored_lists_are_those_of_the_data_sets(name):
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not among the real images")
    ids = clean_ids(folder)
    assert deduplicated(name, RESULTS) == (None if ids is None else set(ids))
