"""The focal loss of segmenters that tell abnormal pixels from normal ones (Lin et al., ICCV 2017)."""

import torch
from torch import Tensor


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
