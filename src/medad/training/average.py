"""Exponential averages of weights over the steps of a training."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from medad.training.phase import Chunk, Phase


def newest_share(decay: float, number: int) -> float:
    """Return the weight of the newest weights in an average with `decay`, in step `number`, the first being 0.

    It is larger in the first steps, so that the average forgets the start.
    """
    return 1 - min(decay, (1 + number) / (10 + number))


def move_average(average: nn.Module, network: nn.Module, weight: Tensor) -> None:
    """Move the average towards the network by `weight`, (), of the way."""
    with torch.no_grad():
        for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if slow.is_floating_point():
                slow.lerp_(fast, weight)
            else:
                slow.copy_(fast)


def averaged(phase: Phase, name: str, decay: float) -> Phase:
    """Return `phase` with an exponential average of the weights of its network `name` over the steps.

    The average takes the network's name, which is then ``NAME_last``.

    Parameters
    ----------
    phase : Phase
        As it begins.
    name : str
        Of one of its networks.
    decay : float
        Share of the average that stays in a step, in the long run.
    """
    network, before, make_step = phase.networks[name], phase.schedule, phase.step
    average = copy.deepcopy(network)
    newest = torch.ones((), device=next(network.parameters()).device)  # stays, so that a GPU can record the step

    def before_step(number: int) -> None:
        if before is not None:
            before(number)
        newest.fill_(newest_share(decay, number))

    def step(batch: Chunk) -> Tensor:
        loss = make_step(batch)
        move_average(average, network, newest)
        return loss

    networks = phase.networks | {name: average, f"{name}_last": network}
    return replace(phase, networks=networks, step=step, schedule=before_step)
