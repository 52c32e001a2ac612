"""Monte Carlo dropout: one network trained with dropout stands for as many thinned ones as there are masks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DroppedReLU(nn.Module):
    """ReLU, then dropout of single values.

    In training values are dropped at random. In evaluation none are until `draw_masks` has drawn masks; then an
    input holds the same n images once for each mask, (masks * n, ...), and all n see the mask of their pass: so
    a pass is one thinned network for all images, and an image's output does not depend on what else is computed.

    Parameters
    ----------
    rate : float
        Share of values that are dropped, in (0, 1).
    """

    masks: Tensor | None

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("masks", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return what is left of the positive values of `x`, scaled up by 1 / (1 - rate)."""
        x = F.relu(x)
        if self.training:
            return F.dropout(x, self.rate)
        if self.masks is None:
            return x
        return (x.unflatten(0, (len(self.masks), -1)) * self.masks[:, None]).flatten(0, 1)


def add_dropout(network: nn.Module, rate: float) -> None:
    """Put a `DroppedReLU` in the place of every ReLU of `network`; names and numbers of parameters stay."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, DroppedReLU(rate))


@torch.no_grad()
def draw_masks(network: nn.Module, passes: int, seed: int, example: Tensor) -> None:
    """Draw `passes` masks for every `DroppedReLU` of `network`, which is in evaluation mode.

    Parameters
    ----------
    network : Module
        Its masks are replaced.
    passes : int
        Number of masks.
    seed : int
        From where they come.
    example : Tensor
        An input, (1, ...): the masks have the shapes that it makes.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = [module for module in network.modules() if isinstance(module, DroppedReLU)]
    shapes: list[torch.Size] = []
    for layer in layers:
        layer.masks = None
    hooks = [layer.register_forward_hook(lambda *call: shapes.append(call[2].shape[1:])) for layer in layers]
    network(example)
    for layer, hook, shape in zip(layers, hooks, shapes, strict=True):
        hook.remove()
        kept = torch.rand(passes, *shape, generator=generator) >= layer.rate
        layer.masks = (kept / (1 - layer.rate)).to(example.device)
