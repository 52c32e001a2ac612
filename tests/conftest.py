"""A cache of the tests' own, a small data set and a finished run on it."""

from types import SimpleNamespace

import pytest
from hypothesis import settings
from pytest import MonkeyPatch

from medad.cli.commands import main

settings.register_profile("untimed", deadline=None)  # no test measures time: a busy machine is no failure
settings.load_profile("untimed")

TINY = ("--preset", "tiny", "--jobs", "1", "--device", "cpu")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keep decoded images out of the user's cache."""
    with MonkeyPatch.context() as patch:
        patch.setenv("MEDAD_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """A folder of phantom images: 12 normal, 10 unlabeled, 8 + 8 for testing, with kinds and masks."""
    from medad.data.phantom.benchmark import phantom_benchmark
    from medad.data.phantom.files import write_phantoms

    folder = tmp_path_factory.mktemp("data") / "phantoms"
    write_phantoms(folder, phantom_benchmark(normal=12, unlabeled=10, test=(8, 8)))
    return folder


@pytest.fixture(scope="session")
def finished(phantoms, tmp_path_factory):
    """The folder of ``medad run`` on the phantoms, with a threshold."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    assert main(["run", str(phantoms), "--out", str(folder), *TINY, "--options.holdout", "0.2"]) == 0
    return folder


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds for what is written or told now and then; it stands still until a test sets it."""
    from medad import progress
    from medad.workflows import findings

    now = SimpleNamespace(seconds=50.0)
    for module in (progress, findings):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now
