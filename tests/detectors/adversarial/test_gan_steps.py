"""What a GPU would record: the phases of GANs look at no value, draw only when they prepare, and learn."""

import copy

import pytest
import torch
from gan_runs import train, training_data
from helpers import stages_of

from medad.detectors.contract import plan
from medad.detectors.registry import make_detector
from medad.training.pixels import ResidentPixels
from tests.training.machine.test_recorded import NoLooks


@pytest.mark.parametrize("method", ["fanogan", "anogan", "ali"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_preparing_and_stepping_never_wait_for_the_device(tmp_path, monkeypatch, method, precision):
    detector = make_detector(method, "tiny", device="cpu", jobs=1, precision=precision)
    train(detector, tmp_path)
    monkeypatch.setattr(plan, "open_pixels", ResidentPixels)
    for (spec,) in stages_of(detector, training_data(tmp_path), tmp_path):
        phase = spec.make()
        before = copy.deepcopy({name: network.state_dict() for name, network in phase.networks.items()})
        for number in range(3):
            if phase.schedule is not None:
                phase.schedule(number)
            with NoLooks():
                rows = phase.draw(torch.arange(4))
                state = torch.get_rng_state()
                loss = phase.step(rows)
            assert loss.isfinite()
            assert method == "ali" or torch.equal(torch.get_rng_state(), state)  # ALI's dropout draws
        for name, network in phase.networks.items():
            after = network.state_dict()
            assert any(not torch.equal(before[name][key], after[key]) for key in after)
            assert all(value.isfinite().all() for value in after.values())
