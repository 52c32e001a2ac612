"""Small runs that several tests look at; those who change one take a copy."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from medad.cli.commands import main


@pytest.fixture(scope="session")
def run_on_pixels(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what trains a method on the pixels of phantoms, once, and keeps a fifth of the normal ones out."""

    @cache
    def trained(method: str) -> Path:
        out = tmp_path_factory.mktemp("trained") / "run"
        pixels = ["--preset", "quick", "--size", "64", "--options.extractor", "pixels", "--options.holdout", "0.2"]
        assert main(["train", str(phantoms), "--out", str(out), "--method", method, *pixels, "--jobs", "1"]) == 0
        return out

    return trained
