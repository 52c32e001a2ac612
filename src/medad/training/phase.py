"""What a method gives the trainer: networks, optimisers, data and a step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medad.training.checkpoint import load_networks, network_state

Chunk = tuple[Tensor, ...]


@dataclass
class Phase:
    """A piece of training: some networks, their optimisers, and what one step does.

    Attributes
    ----------
    networks, optimisers : dict
        By name; all of their state is checkpointed.
    draw : callable
        Indices of the images of some consecutive batches -> tensors, one row an image. Random numbers
        are drawn here rather than in `step`, which a GPU can then record.
    step : callable
        Rows of one batch -> detached loss; updates the networks. All calls do the same to tensors that
        stay where they are: on a GPU the step is recorded once and replayed.
    chunk_batches : int
        How many batches `draw` makes at once.
    schedule : callable, optional
        Called before every step with its number, to set what changes from step to step, such as the
        learning rate.
    """

    networks: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]
    draw: Callable[[Tensor], Chunk]
    step: Callable[[Chunk], Tensor]
    chunk_batches: int = 1
    schedule: Callable[[int], None] | None = None

    def advance(self, index: Tensor, batch_size: int, number: int) -> list[Tensor]:
        """Make the steps from `number` on with the images at `index`, in batches; return their losses."""
        rows = self.draw(index)
        losses: list[Tensor] = []
        for i in range(0, len(index), batch_size):
            if self.schedule is not None:
                self.schedule(number + len(losses))
            losses.append(self.step(tuple(r[i : i + batch_size] for r in rows)))
        return losses

    def state(self) -> dict[str, Tensor]:
        """Return weights and the state of optimisers."""
        found = self.result()
        for name, optimiser in self.optimisers.items():
            for i, slots in optimiser.state_dict()["state"].items():
                found |= {f"optimiser/{name}/{i}/{slot}": value for slot, value in slots.items()}
        return found

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what :meth:`state` returned."""
        load_networks(self.networks, tensors)
        for name, optimiser in self.optimisers.items():
            _load_optimiser(optimiser, f"optimiser/{name}/", tensors)

    def result(self) -> dict[str, Tensor]:
        """Return the weights, without what only more training would need."""
        return network_state(self.networks)


def generator_of(device: torch.device) -> torch.Generator:
    """Return the generator from which torch draws on `device` by default."""
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    return torch.default_generator


def gradient_step(optimiser: Optimizer, objective: Callable[[], Tensor], precision: str) -> Tensor:
    """Make one step of `optimiser` down the gradient of `objective`; return the detached loss.

    With precision ``"bf16"`` the forward pass runs under autocast; weights and optimiser stay fp32. Networks
    of other optimisers that the objective goes through, as in a GAN, get no gradients.
    """
    weights = [p for group in optimiser.param_groups for p in group["params"]]
    with torch.autocast(weights[0].device.type, torch.bfloat16, enabled=precision == "bf16"):
        loss = objective()
    optimiser.zero_grad(set_to_none=True)
    loss.backward(inputs=weights)
    optimiser.step()
    return loss.detach()


def adam(
    network: nn.Module,
    lr: float,
    weight_decay: float = 0.0,
    betas: tuple[float, float] = (0.5, 0.999),
    amsgrad: bool = False,
) -> Optimizer:
    """Return Adam on what requires gradients, fused, on a GPU fit to be recorded; the default betas are DDAD's."""
    device = next(network.parameters()).device
    on_gpu = device.type == "cuda"
    return torch.optim.Adam(
        [p for p in network.parameters() if p.requires_grad],
        lr=torch.tensor(lr, device=device) if on_gpu else lr,
        betas=betas,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        fused=True,
        capturable=on_gpu,
    )


def sgd(networks: Sequence[nn.Module], lr: float, momentum: float, weight_decay: float = 0.0) -> Optimizer:
    """Return stochastic gradient descent with a group of parameters for each network, fused, as :func:`adam` is."""
    device = next(networks[0].parameters()).device
    groups = [
        {"params": list(network.parameters()), "lr": torch.tensor(lr, device=device) if device.type == "cuda" else lr}
        for network in networks
    ]
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=True)


def for_training(networks: dict[str, nn.Module], device: str) -> dict[str, nn.Module]:
    """Return `networks`, on `device`, channels last and in training mode."""
    for network in networks.values():
        network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    return networks


def set_lr(optimiser: Optimizer, lr: float, groups: slice = slice(None)) -> None:
    """Set the learning rate of all parameters, or of those of some groups, in place where it is a tensor."""
    for group in optimiser.param_groups[groups]:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def _load_optimiser(optimiser: Optimizer, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for i, parameter in enumerate(parameters):
        start = f"{prefix}{i}/"
        for name, value in tensors.items():
            if name.startswith(start):
                optimiser.state[parameter][name.removeprefix(start)] = _like(parameter, value)


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """Copy `value` into memory laid out as the optimiser lays out its own state."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
