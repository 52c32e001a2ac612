"""A phase that is stopped, killed or dealt to other processes ends with the same weights, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from medad.errors import MedadError, UserError
from medad.training import job
from medad.training.checkpoint import load_tensors, save_tensors
from medad.training.loop import Interrupted, train_in_turns
from medad.training.machine.denormals import are_flushed, flushed
from medad.training.phase import Chunk, Phase, adam, gradient_step
from medad.training.spec import Recipe, Spec, epoch_order
from medad.training.workers import train_phases

RECIPE = Recipe(count=30, batch_size=8, epochs=8)


def noisy_phase(delay: float = 0.0) -> Phase:
    """Fit a network with batch norm and dropout, so that all kinds of state matter."""
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
    )
    optimiser = adam(network, 1e-2)
    data = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))

    def draw(index: torch.Tensor) -> Chunk:
        time.sleep(delay)
        return (data[index] + 0.1 * torch.randn(len(index), 4),)

    def step(batch: Chunk) -> torch.Tensor:
        return gradient_step(optimiser, lambda: (network(batch[0]) - 1).square().mean(), "fp32")

    return Phase({"net": network}, {"net": optimiser}, draw, step, chunk_batches=2)


@dataclass(frozen=True)
class Slow:
    """Build the noisy phase; every chunk takes `delay` seconds longer."""

    delay: float = 0.0

    def __call__(self, recipe: Recipe) -> Phase:
        return noisy_phase(self.delay)


def make_spec(name: str = "net", key: str = "k", seed: int = 3, delay: float = 0.0) -> Spec:
    return Spec(name, key, Slow(delay), seed, RECIPE)


def train(folder: Path, spec: Spec, stop_after: int | None = None) -> dict[str, torch.Tensor]:
    done = []
    try:
        train_in_turns(
            [spec],
            folder,
            lambda name, steps: done.append(steps),
            lambda: stop_after is not None and max(done, default=0) >= stop_after,
        )
    except Interrupted:
        return {}
    return load_tensors(folder / f"{spec.name}.safetensors")[0]


def test_denormal_numbers_are_zero_while_training_lasts(tmp_path):
    seen = []
    train_in_turns([make_spec()], tmp_path, lambda *_: seen.append(are_flushed()), lambda: False)
    assert seen and all(seen) and not are_flushed()
    with flushed():
        with flushed():
            pass
        assert are_flushed()
    assert not are_flushed()


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def reference(tmp_path):
    (tmp_path / "reference").mkdir()
    return train(tmp_path / "reference", make_spec())


@pytest.mark.parametrize("stop_after", [0, 1, 5, 11, 23])
def test_resume_after_a_stop_gives_the_same_weights(tmp_path, reference, stop_after):
    assert train(tmp_path, make_spec(), stop_after) == {}
    assert_equal(train(tmp_path, make_spec()), reference)


def test_resume_after_a_kill_gives_the_same_weights(tmp_path, reference):
    code = (
        "from pathlib import Path; from medad.training import job; import test_loop\n"
        "job.CHECKPOINT_SECONDS = 0\n"
        f"test_loop.train(Path({str(tmp_path)!r}), test_loop.make_spec(delay=0.2))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        partial_file = tmp_path / "net.partial.safetensors"
        while not partial_file.exists() and process.poll() is None:
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "net.safetensors").exists()
    assert 0 < int(load_tensors(partial_file)[1]["step"]) < RECIPE.total_steps
    assert_equal(train(tmp_path, make_spec()), reference)


def test_a_kill_between_the_last_two_files_leaves_nothing_behind(tmp_path, reference):
    train(tmp_path, make_spec(), stop_after=5)
    partial_file = tmp_path / "net.partial.safetensors"
    stale = partial_file.read_bytes()
    train(tmp_path, make_spec())
    partial_file.write_bytes(stale)
    assert_equal(train(tmp_path, make_spec()), reference)
    assert not partial_file.exists()


def test_weights_do_not_depend_on_the_number_of_processes(tmp_path):
    specs = [make_spec(f"net{i}", seed=i) for i in range(3)]
    results = []
    for jobs in (1, 2):
        folder = tmp_path / str(jobs)
        folder.mkdir()
        train_phases(specs, folder, jobs)
        results.append([load_tensors(folder / f"{spec.name}.safetensors")[0] for spec in specs])
    for one, two in zip(*results, strict=True):
        assert_equal(one, two)
    assert not torch.equal(results[0][0]["net/0.weight"], results[0][1]["net/0.weight"])


def test_phases_that_take_turns_end_as_one_after_the_other(tmp_path):
    specs = [make_spec(f"net{i}", seed=i) for i in range(3)]
    results = []
    for at_once in (1, 2, 3):
        folder = tmp_path / str(at_once)
        folder.mkdir()
        train_in_turns(specs, folder, lambda name, done: None, lambda: False, at_once)
        results.append([load_tensors(folder / f"{spec.name}.safetensors")[0] for spec in specs])
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            assert_equal(one, other)


def test_a_stop_saves_all_that_take_turns(tmp_path):
    specs = [make_spec(f"net{i}", seed=i) for i in range(3)]
    done = {}
    with pytest.raises(Interrupted):
        train_in_turns(specs, tmp_path, done.__setitem__, lambda: sum(done.values()) >= 6, at_once=2)
    assert done == {"net0": 3, "net1": 3}
    for name, steps in done.items():
        assert load_tensors(tmp_path / f"{name}.partial.safetensors")[1]["step"] == str(steps)


def test_training_leaves_the_global_random_state_alone(tmp_path):
    before = torch.get_rng_state()
    train(tmp_path, make_spec())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_finished_phase_is_not_trained_again(tmp_path, reference):
    first = train(tmp_path, make_spec())
    written = (tmp_path / "net.safetensors").stat().st_mtime_ns
    assert_equal(train(tmp_path, make_spec()), first)
    assert (tmp_path / "net.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize("stop_after", [5, None])
def test_a_checkpoint_of_other_options_is_refused(tmp_path, stop_after):
    train(tmp_path, make_spec(), stop_after)
    with pytest.raises(UserError, match="other options or data"):
        train(tmp_path, make_spec(key="other"))


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "net.partial.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"net\.partial\.safetensors"):
        train(tmp_path, make_spec())


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_tensors(path, {"a": torch.ones(2)}, step=1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MedadError, match="No space left"):
        save_tensors(path, {"a": torch.zeros(2)}, step=2)
    tensors, metadata = load_tensors(path)
    assert metadata["step"] == "1"
    assert tensors["a"].tolist() == [1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_every_epoch_sees_every_image_in_another_order():
    first, second = epoch_order(50, 1, 0), epoch_order(50, 1, 1)
    assert sorted(first.tolist()) == list(range(50))
    assert first.tolist() != second.tolist()
    assert torch.equal(first, epoch_order(50, 1, 0))


def test_losses_of_all_steps_are_kept(tmp_path, reference):
    losses = reference["losses"]
    assert losses.shape == (24,)
    assert losses[-4:].mean() < losses[:4].mean()


def test_snapshots_are_kept(tmp_path):
    result = train(tmp_path, replace(make_spec(), snapshots=4))
    assert {p.name for p in tmp_path.iterdir()} == {
        "net.4.safetensors",
        "net.8.safetensors",
        "net.safetensors",
    }
    assert_equal(load_tensors(tmp_path / "net.8.safetensors")[0], result)


def test_fewer_images_than_a_batch_are_one_batch():
    assert Recipe(5, 64, 10).total_steps == 10
    assert Recipe(130, 64, 10).total_steps == 20
    assert Recipe(130, 64, 10, steps=3).total_steps == 3
    assert Recipe(130, 64, 10, keep_last=True).total_steps == 30
    assert Recipe(129, 64, 10, keep_last=True).total_steps == 20  # batch norm cannot learn from a single image
    assert Recipe(128, 64, 10, keep_last=True).total_steps == 20
    assert Recipe(1, 64, 10, keep_last=True).total_steps == 10


def test_checkpoints_are_at_most_half_a_minute_apart(tmp_path, monkeypatch):
    clock, saved = [0.0], []

    def now() -> float:
        clock[0] += 9.0  # a slow chunk
        return clock[0]

    save = job.save_tensors
    monkeypatch.setattr(job.time, "monotonic", now)
    monkeypatch.setattr(job, "save_tensors", lambda *a, **k: (saved.append(clock[0]), save(*a, **k)))
    train(tmp_path, make_spec())
    assert len(saved) >= 3
    assert all(b - a <= 30 + 9 for a, b in zip([0.0, *saved], saved, strict=False))
