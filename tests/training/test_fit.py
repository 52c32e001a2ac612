"""A fit sees every image once in its order, stops and goes on between batches, and ends as if nothing had happened."""

from dataclasses import dataclass

import pytest
import torch

from medad.errors import UserError
from medad.training.checkpoint import load_tensors
from medad.training.fit import Fit
from medad.training.loop import Interrupted, train_in_turns
from medad.training.phase_store import PhaseStore
from medad.training.spec import Recipe, Spec, Sweep
from medad.training.workers import train_phases

COUNT = 11
DATA = torch.randn(COUNT, 3, generator=torch.Generator().manual_seed(0))


@dataclass(frozen=True)
class Sums:
    """Build a fit of means, with a random projection of every batch, so that all kinds of state matter."""

    def __call__(self, recipe: Recipe) -> Fit:
        tensors = {"sum": torch.zeros(3), "seen": torch.zeros(COUNT), "noise": torch.zeros(())}

        def update(index: torch.Tensor) -> None:
            tensors["sum"] += DATA[index].sum(0)
            tensors["seen"][index] += 1
            tensors["noise"] += torch.rand(())

        def finish(found: dict) -> dict:
            return {"mean": found["sum"] / found["seen"].sum(), "seen": found["seen"], "noise": found["noise"]}

        return Fit("sums", tensors, update, finish)


def make_spec(name: str = "sums", key: str = "k", passes: int = 1) -> Spec:
    return Spec(name, key, Sums(), 5, Sweep(COUNT, 4, passes))


def run(folder, spec, stop_after=None):
    """Run a fit, stopping it after some batches."""
    done = []
    try:
        train_in_turns(
            [spec], folder, lambda _, n: done.append(n), lambda: stop_after is not None and max(done) >= stop_after
        )
    except Interrupted:
        return None
    return load_tensors(folder / f"{spec.name}.safetensors")[0]


@pytest.mark.parametrize("passes", [1, 2])
def test_every_image_counts_once_a_pass(tmp_path, passes):
    found = run(tmp_path, make_spec(passes=passes))
    assert found.keys() == {"sums/mean", "sums/seen", "sums/noise"}
    assert found["sums/seen"].tolist() == [passes] * COUNT
    torch.testing.assert_close(found["sums/mean"], DATA.mean(0))


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_a_stopped_fit_goes_on_and_ends_the_same(tmp_path, stop_after):
    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", make_spec())
    assert run(tmp_path, make_spec(), stop_after) is None
    assert load_tensors(tmp_path / "sums.partial.safetensors")[1]["step"] == str(stop_after)
    resumed = run(tmp_path, make_spec())
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not (tmp_path / "sums.partial.safetensors").exists()


def test_fits_are_dealt_to_processes_stored_and_guarded_by_their_key(tmp_path):
    specs = [make_spec(), make_spec("sums_2", "other")]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    with PhaseStore(tmp_path / "store").shared(specs, tmp_path / "a"):
        train_phases(specs, tmp_path / "a", jobs=2)
    with PhaseStore(tmp_path / "store").shared(specs, tmp_path / "b"):
        assert (tmp_path / "b" / "sums_2.safetensors").exists()
    with pytest.raises(UserError, match="other options or data"):
        run(tmp_path / "a", make_spec(key="another"))


def test_the_last_images_fill_no_batch_and_are_seen_nevertheless():
    assert (Sweep(9, 4).total_steps, Sweep(8, 4).total_steps, Sweep(3, 4).total_steps) == (3, 2, 1)
    assert Sweep(5, 2).order(1, 0, torch.device("cpu")).tolist() == [0, 1, 2, 3, 4]
