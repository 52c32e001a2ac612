"""The models of experiment 3 as detectors: what is trained, how, and what it reconstructs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from medad.detectors.codebook.vqvae2_network import COMMITMENT, VQVAE2
from medad.detectors.contract.one_network import OneNetworkDetector
from medad.detectors.contract.options import TrainingOptions
from medad.experiments.reproduce.pitfalls.networks import Autoencoder

VQVAE = "vqvae"


@dataclass(frozen=True)
class ModelOptions(TrainingOptions):
    """The network, and the paper's recipe.

    Attributes
    ----------
    kind : str
        ``ae``, ``spatial`` or ``vqvae``.
    code : int
        Length of the code, of ``spatial`` at each place; ``vqvae`` has two codebooks of 512 vectors of 64.
    """

    size: int = 256
    kind: str = "ae"
    code: int = 128
    batch_size: int = 128
    steps: int | None = 10_000
    weight_decay: float = 2e-2


class Model(OneNetworkDetector):
    """A reconstruction network on values in [0, 1], trained by its mean absolute error; absolute residual.

    Differs from the paper: the weights are those of the last step, not those with the best AP on synthetic disks of a
    validation set, so that nothing is chosen on anomalies like those of the test; therefore all images are learned
    from. The codebooks' counts start at 1 (see `EMAQuantiser`).

    References
    ----------
    Meissen et al., MIDL 2022.
    """

    name = "model"
    options_type = ModelOptions

    @classmethod
    def make(cls, options: Any) -> nn.Module:
        """Return the untrained network."""
        if options.kind == VQVAE:
            return VQVAE2()
        return Autoencoder(options.size, options.code, options.kind == "spatial")

    @classmethod
    def objective(cls, options: Any, network: nn.Module) -> Callable[..., Tensor]:
        """Return the mean absolute error, of a VQ-VAE with its commitments."""

        def loss(x: Tensor) -> Tensor:
            x = _unit(x)
            out = network(x)
            reconstruction, commitment = out if isinstance(out, tuple) else (out, 0.0)
            return (reconstruction - x).abs().mean() + COMMITMENT * commitment

        return loss

    @classmethod
    def optimise(cls, options: Any, network: nn.Module) -> Optimizer:
        """Return AdamW."""
        on_gpu = next(network.parameters()).device.type == "cuda"
        decay = options.weight_decay
        return AdamW(network.parameters(), options.lr, weight_decay=decay, fused=True, capturable=on_gpu)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the absolute residual and its mean."""
        x = _unit(x)
        residual = (self._reconstruction(x) - x).abs()[:, 0]
        return {"pred_score": residual.mean((1, 2))}, {"anomaly_map": residual}

    @torch.inference_mode()
    def reconstruct(self, image: np.ndarray) -> np.ndarray:
        """Return what the network makes of one image (H, W) in [0, 1]."""
        x = torch.from_numpy(image.astype(np.float32))[None, None].to(self.device)
        return self._reconstruction(x)[0, 0].cpu().numpy()

    def _reconstruction(self, x: Tensor) -> Tensor:
        out = self.folded_[self.name](x)
        return out[0] if isinstance(out, tuple) else out


def _unit(x: Tensor) -> Tensor:
    return (x + 1) / 2  # from [-1, 1]


MODELS: dict[str, dict[str, Any]] = {
    "AE 128": {"kind": "ae", "code": 128},
    "AE 64": {"kind": "ae", "code": 64},
    "AE 32": {"kind": "ae", "code": 32},
    "spatial AE 1": {"kind": "spatial", "code": 1},
    "spatial AE 2": {"kind": "spatial", "code": 2},
    "VQ-VAE": {"kind": VQVAE},
}
RECIPES: dict[str, dict[str, int]] = {"quick": {"steps": 200, "batch_size": 16}, "paper": {}}
