"""Files of weights, whole and damaged: a state dict, or one line."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from medad.errors import UserError
from medad.networks.weights_file import read_state

pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol")
STATE = {"conv.weight": torch.arange(24.0).view(2, 3, 2, 2), "count": torch.tensor(3)}


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def written(folder, kind):
    path = folder / f"weights.{kind}"
    if kind == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(OrderedDict(STATE), path, _use_new_zipfile_serialization=kind != "tar")
    return path


@pytest.mark.parametrize("kind", ["pth", "tar", "safetensors"])
def test_a_file_that_is_whole_is_read(kind, tmp_path):
    found = read_state(written(tmp_path, kind))
    assert found.keys() == STATE.keys() and all(torch.equal(found[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("kind", ["pth", "tar", "safetensors"])
def test_damage_anywhere_is_one_line_or_other_numbers(kind, tmp_path):
    path = written(tmp_path, kind)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 60):
        changed = bytearray(whole)
        changed[at] ^= int(rng.integers(1, 256))
        for content in (whole[:at], bytes(changed)):
            path.write_bytes(content)
            try:
                assert isinstance(read_state(path), dict)
            except UserError as error:
                assert str(path) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("kind", ["pth", "pkl", "safetensors"])
def test_code_in_a_file_is_not_run(kind, tmp_path):
    path, trace = tmp_path / f"weights.{kind}", tmp_path / "trace"
    if kind == "pth":
        torch.save({"conv.weight": Harmful(trace)}, path)
    else:
        path.write_bytes(pickle.dumps(Harmful(trace)))
    with pytest.raises(UserError, match="not a readable file of weights"):
        read_state(path)
    assert not trace.exists()
    if kind == "pth":
        torch.load(path, weights_only=False)
        assert trace.exists(), "the file would have done what it was made for"


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {0: torch.zeros(3)}])
def test_other_content_is_no_weights(content, tmp_path):
    torch.save(content, tmp_path / "weights.pth")
    assert read_state(tmp_path / "weights.pth") == {}
