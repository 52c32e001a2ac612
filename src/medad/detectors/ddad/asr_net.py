"""ASR-Net: refines discrepancy maps."""

import torch
from torch import Tensor, nn

# Pixels. The maps between the layers have 64 times the bytes of the input: more at once leave a CPU's cache, and
# are so large that the C library hands their memory back to the system after each layer.
REFINED_AT_ONCE = {"cpu": 64**2, "cuda": 1024 * 64**2}


class ASRNet(nn.Module):
    """Three 3 x 3 convolutions from discrepancy maps to a probability of abnormality.

    Parameters
    ----------
    inputs : int
        Number of maps: 2 for R_dual ([A_intra, A_inter]), 1 for R_intra.
    width : int
        Channels between.

    References
    ----------
    Cai et al., Medical Image Analysis 2023, adaptive self-supervised refinement.
    """

    def __init__(self, inputs: int, width: int = 128) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(inputs, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, 2, 3, padding=1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return the logits (n, 2, H, W) of normal and abnormal for `maps`, (n, inputs, H, W)."""
        return self.model(maps).float()

    def refine(self, maps: Tensor) -> Tensor:
        """Return the refined map, (n, H, W) in [0, 1]: the probability of abnormality."""
        few = max(REFINED_AT_ONCE[maps.device.type] // maps.shape[-1] ** 2, 1)
        return torch.cat([self(part).softmax(1)[:, 1] for part in maps.split(few)])
