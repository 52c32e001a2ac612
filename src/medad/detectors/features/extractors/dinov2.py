"""DINOv2's vision transformers, with weights from a file of the user's."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from medad.detectors.features.extractors.contract import Extractor, Maps
from medad.detectors.features.extractors.own_file import required
from medad.networks.imagenet import ImageNetColours
from medad.networks.vit import KINDS, PATCH, VisionTransformer
from medad.networks.weights_file import read_state, wanted_of

REGISTERS = "register_tokens"


class DINOv2Extractor(Extractor):
    """A vision transformer; its descriptor has four times as many numbers as a token.

    Parameters
    ----------
    kind : str
        One of :data:`medad.networks.vit.KINDS`.
    registers : int
        Number of register tokens: 0 or, in the files with ``reg4`` in their names, 4.
    """

    pooled = ("block9", "block10", "block11", "block12")
    dense = ("block12",)

    def __init__(self, kind: str, registers: int) -> None:
        super().__init__()
        self.colours = ImageNetColours()
        self.network = VisionTransformer(*KINDS[kind], registers)

    def forward(self, x: Tensor) -> Maps:
        """Return the patch tokens of the last four blocks after the last norm, one place for each 14 x 14 pixels.

        Images are resized to the nearest multiple of 14 before.
        """
        side = max(round(x.shape[-1] / PATCH), 1) * PATCH
        if side != x.shape[-1]:
            x = F.interpolate(x.contiguous(), side, mode="bilinear", antialias=True)
        tokens = self.network.last_tokens(self.colours(x), len(self.pooled))
        return dict(zip(self.pooled, tokens, strict=True))


def make_dinov2(kind: str, state: Mapping[str, Tensor]) -> DINOv2Extractor:
    """Return the extractor for the weights `state`, which tell the number of registers."""
    return DINOv2Extractor(kind, _registers(state.get(f"network.{REGISTERS}")))


def read_dinov2(kind: str, weights: str) -> DINOv2Extractor:
    """Return the extractor with the weights of the file `weights`, with or without registers.

    Raises
    ------
    UserError
        If no file is named, or it cannot be read or holds other weights.
    """
    file = Path(required(kind, weights, f"a file of facebookresearch's {kind}, .pth or .safetensors"))
    state = read_state(file)
    extractor = DINOv2Extractor(kind, _registers(state.get(REGISTERS)))
    extractor.network.load_state_dict(wanted_of(state, extractor.network, file, kind))
    return extractor


def _registers(tokens: object) -> int:
    return tokens.shape[1] if isinstance(tokens, torch.Tensor) and tokens.ndim == 3 else 0
