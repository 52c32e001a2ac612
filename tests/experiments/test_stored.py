"""Runs are stored under a name, come back, and are not overwritten by others."""

import pytest
import yaml
from stored_runs import RUN

from medad.errors import UserError
from medad.experiments.store import store
from medad.experiments.stored import method_folder, stored


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "ddad-aeu"), ({"precision": "bf16"}, "ddad-aeu-bf16"), ({"config": {"preset": "quick"}}, "ddad-aeu-quick")],
)
def test_a_folder_is_named_after_what_differs_from_the_paper(changes, name):
    assert method_folder(RUN | changes) == name
    assert method_folder(RUN | {"method": "ae", "options": {}}) == "ae"


def test_stored_results_come_back(results, table):
    (result,) = stored("brain_tumor", results)
    assert result.method == "ddad-aeu"
    assert result.scores.image_path == table.image_path
    assert list(stored("other", results)) == []


def test_store_refuses_to_overwrite_another_experiment(results, table, tmp_path):
    other = tmp_path / "run"
    (other / "run.yaml").write_text(yaml.safe_dump(RUN | {"config": {"preset": "paper", "device": "cuda"}}))
    with pytest.raises(UserError, match="other options"):
        store(other, results)
    (other / "run.yaml").write_text(yaml.safe_dump(RUN | {"config": {"preset": "paper", "ensemble_size": 5}}))
    assert store(other, results).parent.name == "ddad-aeu-ensemble_size-5"


def test_store_asks_for_an_evaluation(results, tmp_path):
    (tmp_path / "run" / "scores.csv").unlink()
    with pytest.raises(UserError, match=r"run: no scores.csv; name the folder of an evaluation"):
        store(tmp_path / "run", results)
