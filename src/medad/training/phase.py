"""What a method gives the trainer: networks, optimisers, data and a step."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Chunk = tuple[Tensor, ...]


@dataclass(frozen=True)
class PhaseSpec:
    """The description of a phase that travels to a worker process.

    Attributes
    ----------
    name : str
        Unique within the detector, e.g. ``"ndm_1"``.
    key : str
        Digest of all that the outcome depends on; a checkpoint with another key is refused.
    build : callable
        Makes the phase; picklable, called in the process that trains it, under the phase's seed.
    seed : int
        Seed of the phase.
    steps, steps_per_epoch : int
        Number of steps in all, for progress and for balancing processes, and in an epoch.
    snapshots : int
        If positive, the networks of every so many epochs are kept too, as ``NAME.EPOCH.safetensors``.
    threads : int
        Arithmetic threads. It is a constant of the method, never of the machine: sums are rounded in
        an order that depends on it.
    device : str
        Where the networks of the phase are.
    """

    name: str
    key: str
    build: Callable[[], "Phase"]
    seed: int
    steps: int
    steps_per_epoch: int
    snapshots: int = 0
    threads: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Recipe:
    """How long a phase trains.

    Attributes
    ----------
    count, batch_size : int
        Number of training images and of images per step. Fewer images than a batch train as one batch.
    epochs : int
        Passes over the images.
    steps : int or None
        If given, the number of steps whatever the number of epochs.
    keep_last : bool
        Whether an epoch ends with the images that fill no batch; by default they are dropped. A single one
        is always dropped: batch norm cannot learn from it.
    """

    count: int
    batch_size: int
    epochs: int
    steps: int | None = None
    keep_last: bool = False

    @property
    def steps_per_epoch(self) -> int:
        """Return the number of batches in an epoch, at least one."""
        whole, rest = divmod(self.count, self.batch_size)
        return max(whole + (self.keep_last and rest > 1), 1)

    @property
    def total_steps(self) -> int:
        """Return the number of steps of the whole phase."""
        return self.epochs * self.steps_per_epoch if self.steps is None else self.steps


@dataclass
class Phase:
    """A piece of training: some networks, their optimisers, and what one step does.

    Attributes
    ----------
    networks, optimisers : dict
        By name; all of their state is checkpointed.
    recipe : Recipe
        Images, batches and length.
    prepare : callable
        Indices of the images of some consecutive batches -> tensors, one row an image. Random numbers
        are drawn here rather than in `step`, which a GPU can then record.
    step : callable
        Rows of one batch -> detached loss; updates the networks. All calls do the same to tensors that
        stay where they are: on a GPU the step is recorded once and replayed.
    chunk_batches : int
        How many batches `prepare` makes at once.
    schedule : callable, optional
        Called before every step with its number, to set what changes from step to step, such as the
        learning rate.
    """

    networks: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]
    recipe: Recipe
    prepare: Callable[[Tensor], Chunk]
    step: Callable[[Chunk], Tensor]
    chunk_batches: int = 1
    schedule: Callable[[int], None] | None = None

    @property
    def device(self) -> torch.device:
        """Return where the networks are."""
        return next(p.device for network in self.networks.values() for p in network.parameters())


def generator_of(device: torch.device) -> torch.Generator:
    """Return the generator from which torch draws on `device` by default."""
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    return torch.default_generator


def descend(optimiser: Optimizer, objective: Callable[[], Tensor], precision: str, device: torch.device) -> Tensor:
    """Make one step of `optimiser` down the gradient of `objective`; return the detached loss.

    With precision ``"bf16"`` the forward pass runs under autocast; weights and optimiser stay fp32. Networks
    of other optimisers that the objective goes through, as in a GAN, get no gradients.
    """
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        loss = objective()
    optimiser.zero_grad(set_to_none=True)
    loss.backward(inputs=[p for group in optimiser.param_groups for p in group["params"]])
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


def set_lr(optimiser: Optimizer, lr: float) -> None:
    """Set the learning rate of all parameters, in place where it is a tensor."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
