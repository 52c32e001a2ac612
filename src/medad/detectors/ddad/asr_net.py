"""ASR-Net: refines discrepancy maps, and the loss it is trained with."""

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


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0, smooth: float = 1e-5) -> Tensor:
    """Focal loss over two classes, mean over pixels, without class weights.

    Parameters
    ----------
    logits : Tensor
        (n, 2, H, W).
    target : Tensor
        (n, H, W), 1 where abnormal.
    gamma : float
        Focus on the hard pixels (Lin et al., ICCV 2017).
    smooth : float
        Label smoothing s: p_t = (1 - s) p_y + s p_other + s, as the official code.
    """
    p_abnormal = logits.softmax(1)[:, 1]
    p = torch.where(target.bool(), p_abnormal, 1 - p_abnormal)
    p_t = (1 - smooth) * p + smooth * (1 - p) + smooth
    return -((1 - p_t) ** gamma * p_t.log()).mean()
