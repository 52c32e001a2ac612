"""The memory unit of MemAE (Gong et al., ICCV 2019)."""

from torch import Tensor, nn
from torch.nn import functional as F


class Memory(nn.Module):
    """Replace a code by a convex combination of stored codes.

    Parameters
    ----------
    slots, features : int
        Number and length of the stored codes, initialised uniformly within ±1/sqrt(features).
    shrink : float
        Weights below it are set to zero and the rest is normalised again; 0 leaves them alone.

    Notes
    -----
    Weights are the softmax of the dot product (the authors' code; the paper writes the cosine).
    """

    def __init__(self, slots: int, features: int, shrink: float) -> None:
        super().__init__()
        self.memory = nn.Linear(features, slots, bias=False)  # its default initialisation is the one above
        self.shrink = shrink

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the combined codes (n, features) and the weights (n, slots), whose rows sum to 1."""
        weights = self.memory(z).float().softmax(1)
        if self.shrink > 0:
            excess = weights - self.shrink
            weights = F.normalize(excess.relu() * weights / (excess.abs() + 1e-12), p=1, dim=1)
        return weights @ self.memory.weight, weights
