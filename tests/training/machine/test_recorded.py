"""What a GPU records and replays, on a CPU: a "recording" there runs the function again."""

import copy

import numpy as np
import pytest
import torch
from helpers import stages_of
from torch.utils._python_dispatch import TorchDispatchMode

from medad.detectors.contract import plan
from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.training.checkpoint import network_state, save_tensors
from medad.training.job import finished_path
from medad.training.machine.recorded import WARM_UP, RecordedStep
from medad.training.phase import adam, gradient_step, set_lr
from medad.training.pixels import ResidentPixels

CPU = torch.device("cpu")
STEPS = 8


class FakeRecorder:
    """Stands in for CUDA graphs: like them it runs nothing while it records, and leaves results in one place."""

    def __init__(self):
        self.recorded = 0

    def __call__(self, function):
        self.recorded += 1
        place = torch.full((), torch.nan)
        return lambda: place.copy_(function()), place


def make_step(dropout=0.0):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Dropout(dropout), torch.nn.Linear(5, 1))
    optimiser = adam(network, 0.1)

    def step(batch):
        return gradient_step(optimiser, lambda: (network(batch[0]) - batch[1]).square().mean(), "fp32")

    return network, step


def batches():
    generator = torch.Generator().manual_seed(1)
    return [(torch.randn(4, 3, generator=generator), torch.randn(4, 1, generator=generator)) for _ in range(STEPS)]


def test_replayed_steps_are_the_plain_ones():
    plain_network, plain = make_step()
    network, step = make_step()
    record = FakeRecorder()
    recorded = RecordedStep(step, CPU, record)
    losses = [recorded(batch) for batch in batches()]
    assert record.recorded == 1
    assert [loss.item() for loss in losses] == [plain(batch).item() for batch in batches()]
    for mine, theirs in zip(network.parameters(), plain_network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_step_that_draws_is_never_recorded():
    recorded = RecordedStep(make_step(dropout=0.5)[1], CPU, record := FakeRecorder())
    for batch in batches():
        recorded(batch)
    assert record.recorded == 0
    assert recorded.left == WARM_UP


def test_the_learning_rate_changes_in_place_where_it_is_a_tensor():
    optimiser = adam(torch.nn.Linear(1, 1), 0.1)
    set_lr(optimiser, 0.5)
    assert optimiser.param_groups[0]["lr"] == 0.5
    optimiser.param_groups[0]["lr"] = place = torch.tensor(0.1)
    set_lr(optimiser, 0.25)
    assert optimiser.param_groups[0]["lr"] is place
    assert place.item() == 0.25


class NoLooks(TorchDispatchMode):
    """Refuse what would make the host wait for a GPU, or the work depend on values."""

    LOOKS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "unique")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        assert name not in self.LOOKS, name
        if name == "index":
            assert not any(i is not None and i.dtype == torch.bool for i in args[1])
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("backbone", ["ae", "memae", "aeu"])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_preparing_and_stepping_never_wait_for_the_device(tmp_path, monkeypatch, backbone, average):
    monkeypatch.setattr(plan, "open_pixels", ResidentPixels)
    options = {"backbone": backbone, "refine_average": average, "refine_cosine": True}
    detector = make_detector("ddad", "tiny", device="cpu", jobs=1, **options)
    files = tuple(tmp_path / f"{name}.npy" for name in ("normal", "unlabeled"))
    for file in files:
        np.save(file, np.random.default_rng(0).integers(0, 256, (6, 1, 64, 64), dtype=np.uint8))
    members, refiners = stages_of(detector, TrainingData(files, (6, 6), ("a", "b")), tmp_path)
    for name, network in detector.untrained(unlabeled=True).networks_.items():
        save_tensors(finished_path(tmp_path, name), network_state({name: network}))
    for spec in (members[-1], refiners[-1]):
        phase = spec.make()
        weights = copy.deepcopy(phase.networks[spec.name].state_dict())
        index = torch.arange(6)
        with NoLooks():
            for number in range(3):
                if phase.schedule is not None:
                    phase.schedule(number)
                phase.step(phase.draw(index))
        after = phase.networks[spec.name].state_dict()
        assert any(not torch.equal(weights[name], after[name]) for name in weights)
        for tensor in after.values():
            assert tensor.isfinite().all()


def test_a_batch_of_another_shape_is_not_replayed():
    plain_network, plain = make_step()
    network, step = make_step()
    recorded = RecordedStep(step, CPU, FakeRecorder())
    for batch in batches():
        for part in (batch, tuple(rows[:3] for rows in batch)):
            assert recorded(part).item() == plain(part).item()
    for mine, theirs in zip(network.parameters(), plain_network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
