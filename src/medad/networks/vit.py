"""Vision transformers as frozen features, as DINOv2 has them (Oquab et al., TMLR 2024; Darcet et al., ICLR 2024)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.networks.linear import Linear

PATCH = 14
DEPTH = 12
SIDE = 37  # patches a side of the images that it was trained on: 518 pixels
EPS = 1e-6  # of its layer norms
KINDS = {"dinov2_vits14": (384, 6), "dinov2_vitb14": (768, 12)}  # width and heads


class TokenLinear(Linear):
    """A linear layer on each token."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, out_features) for `x` (n, tokens, in_features)."""
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Attention(nn.Module):
    """Every token looks at all, by several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = TokenLinear(width, 3 * width)
        self.proj = TokenLinear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width) for `x` (n, tokens, width)."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two linear layers on each token, four times as wide between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = TokenLinear(width, 4 * width), TokenLinear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width) for `x` (n, tokens, width)."""
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A factor for every feature."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, (n, tokens, width), scaled."""
        return x * self.gamma


class Block(nn.Module):
    """Attention and MLP, each after a layer norm, scaled and added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attn, self.ls1 = nn.LayerNorm(width, EPS), Attention(width, heads), LayerScale(width)
        self.norm2, self.mlp, self.ls2 = nn.LayerNorm(width, EPS), MLP(width), LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width) for `x` (n, tokens, width)."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class PatchEmbedding(nn.Module):
    """One token for each patch of 14 x 14 pixels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, S / 14, S / 14) for `x` (n, 3, S, S)."""
        return self.proj(x)


class VisionTransformer(nn.Module):
    """A vision transformer; names of weights are those of facebookresearch/dinov2, they are random until loaded.

    Parameters
    ----------
    width, heads : int
        Features of a token, heads of an attention.
    registers : int
        Tokens that stand for no place.
    """

    def __init__(self, width: int, heads: int, registers: int = 0) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + SIDE**2, width))
        self.register_tokens = nn.Parameter(torch.zeros(1, registers, width)) if registers else None
        self.patch_embed = PatchEmbedding(width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(DEPTH))
        self.norm = nn.LayerNorm(width, EPS)

    def last_tokens(self, x: Tensor, count: int) -> list[Tensor]:
        """Return the patch tokens of the last `count` blocks, normed, (n, width, S / 14, S / 14) each.

        Parameters
        ----------
        x : Tensor
            Images, (n, 3, S, S), S a multiple of 14.
        count : int
            Number of blocks.
        """
        side, found = x.shape[-1] // PATCH, []
        x = self._tokens(x)
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i >= len(self.blocks) - count:
                patches = self.norm(x)[:, -(side**2) :]
                found.append(patches.transpose(1, 2).unflatten(2, (side, side)))
        return found

    def _tokens(self, x: Tensor) -> Tensor:
        patches = self.patch_embed(x)
        placed = (patches + self._positions(patches.shape[-1])).flatten(2).transpose(1, 2)
        first = [self.cls_token + self.pos_embed[:, :1]]
        if self.register_tokens is not None:
            first.append(self.register_tokens)
        return torch.cat([*(token.expand(len(x), -1, -1) for token in first), placed], 1)

    def _positions(self, side: int) -> Tensor:
        """Return the positions' embeddings for side x side patches, (1, width, side, side), as the authors do."""
        known = self.pos_embed[:, 1:].transpose(1, 2).unflatten(2, (SIDE, SIDE))
        if side == SIDE:
            return known
        if self.register_tokens is not None:
            return F.interpolate(known, (side, side), mode="bicubic", antialias=True)
        scale = (side + 0.1) / SIDE  # without registers the networks were trained with this offset
        return F.interpolate(known, scale_factor=(scale, scale), mode="bicubic")
