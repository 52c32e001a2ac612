"""Steps on a GPU: recorded once as a CUDA graph, then replayed with one launch instead of hundreds."""

from collections.abc import Callable

import torch
from torch import Tensor

from medad.training.phase import Chunk, generator_of

WARM_UP = 3  # steps in which optimisers make their state and libraries choose their algorithms

Record = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]


def record_graph(function: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """Record what `function` launches, without running it; return how to run it, and its result's place."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        result = function()
    return graph.replay, result


class RecordedStep:
    """A training step that is recorded after a few calls and replayed from then on.

    A step that draws random numbers is never recorded: replayed graphs would share one random state.

    Parameters
    ----------
    step : callable
        As :attr:`medad.training.phase.Phase.step`. A batch of another shape than the recorded one, such as
        the last of an epoch, is not replayed.
    device : torch.device
        Where it computes.
    record : callable
        Takes a function without arguments, and returns one that repeats it, and the tensor in which
        the result appears each time.
    """

    def __init__(self, step: Callable[[Chunk], Tensor], device: torch.device, record: Record = record_graph) -> None:
        self.step, self.record = step, record
        self.generator = generator_of(device)
        self.left = WARM_UP
        self.replay: Callable[[], None] | None = None

    def __call__(self, batch: Chunk) -> Tensor:
        """Make a step with `batch`; return the detached loss."""
        if self.replay is None:
            if self.left:
                return self._warm_up(batch)
            self.batch = tuple(torch.empty_like(rows) for rows in batch)
            self.replay, self.loss = self.record(lambda: self.step(self.batch))
        if any(rows.shape != place.shape for place, rows in zip(self.batch, batch, strict=True)):
            return self.step(batch)
        for place, rows in zip(self.batch, batch, strict=True):
            place.copy_(rows)
        self.replay()
        return self.loss.clone()  # the next step writes over it

    def _warm_up(self, batch: Chunk) -> Tensor:
        before = self.generator.get_state()
        loss = self.step(batch)
        if torch.equal(self.generator.get_state(), before):
            self.left -= 1
        return loss
