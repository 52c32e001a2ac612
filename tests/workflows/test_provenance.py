"""Versions as they are installed."""

from importlib.metadata import version

import torch

from medad.version import __version__
from medad.workflows.provenance import versions


def test_versions_are_those_installed():
    found = versions(torch.device("cpu"))
    assert found["medad"] == __version__ and found["torch"] == torch.__version__
    assert found["numpy"] == version("numpy") and found["device"] == "cpu"
    assert "gpu" not in found and found["cpu"]
