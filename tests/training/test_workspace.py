"""The folder of the state of a training: what lies in it and is not of a training stays."""

import pytest
from helpers import contents, put

from medad.detectors.registry import load_detector
from medad.errors import UserError
from medad.ownership import MARKER
from medad.training.checkpoint import network_state, save_tensors
from medad.training.workspace import clear_workspace, workspace


def test_a_checkpoint_folder_of_the_user_stays(tmp_path):
    put(tmp_path / "checkpoint" / "model.safetensors")
    before = contents(tmp_path)
    for resume in (False, True):
        with pytest.raises(UserError, match="checkpoint: not the state of a training"), workspace(tmp_path, resume):
            pass
    clear_workspace(tmp_path / "checkpoint")
    assert contents(tmp_path) == before


def test_files_of_the_user_in_our_checkpoint_stay(tmp_path):
    for resume in (False, True):
        with workspace(tmp_path, resume) as work:
            (work / "ae.safetensors").touch()
            put(work / "mine.txt")
    clear_workspace(work)
    assert set(contents(work)) == {"mine.txt", MARKER}
    (work / "mine.txt").unlink()
    clear_workspace(work)
    assert not work.exists()


def test_the_state_of_an_earlier_version_is_gone_on_with(tmp_path, finished):
    detector = load_detector(finished, device="cpu")
    work = tmp_path / "checkpoint"
    work.mkdir()
    save_tensors(work / "ndm_1.partial.safetensors", network_state(detector.networks_), key="k", step=1)
    (work / "normal.npy").touch()
    with workspace(tmp_path, resume=True):
        assert (work / "ndm_1.partial.safetensors").exists()
    clear_workspace(work)
    assert not work.exists()
