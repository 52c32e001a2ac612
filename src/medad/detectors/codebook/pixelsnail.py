"""PixelSNAIL: the probability of a map of codes, one after the other (Chen et al., ICML 2018)."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

RESIDUAL = 4  # pairs of residual blocks in a block
DROPOUT = 0.1
KEY = 16  # length of keys and queries
LARGEST_ATTENTION = 10  # side of a code map up to which every position has its own key, as in the authors' code


class MaskedConv(nn.Module):
    """Convolution that sees only what comes before its place in raster order, and on demand the place itself.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        Side of the window, odd.
    itself : bool
        Whether the place itself is seen.
    stride : int
        Of the convolution.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, itself: bool, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        seen = kernel**2 // 2 + itself
        self.weight = nn.Parameter(0.01 * torch.randn(outputs, inputs, seen))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, h / stride, w / stride) for (n, inputs, h, w)."""
        unseen = self.kernel**2 - self.weight.shape[2]
        weight = F.pad(self.weight, (0, unseen)).unflatten(2, (self.kernel, self.kernel))
        return F.conv2d(x, weight, self.bias, self.stride, self.kernel // 2)


def causal_conv(inputs: int, outputs: int, kernel: tuple[int, int]) -> nn.Module:
    """Return a convolution with weight norm, without change of size, whose window ends in its own row.

    Of a kernel (2, 3) it is the row and the one above, of (2, 2) the row up to the place and the one above.
    """
    height, width = kernel
    pad = nn.ZeroPad2d((width // 2, (width - 1) // 2, height - 1, 0))
    return nn.Sequential(pad, weight_norm(nn.Conv2d(inputs, outputs, kernel)))


class CausalResidual(nn.Module):
    """Gated residual block: ELU, convolution (plus one of other features), ELU, dropout, convolution, GLU.

    Parameters
    ----------
    width : int
        Channels of the input, of the other features and of the output.
    kernel : tuple of int
        Height and width of the windows.
    dropout : float
        Share of channels that are dropped.
    with_other : bool
        Whether there are other features.
    """

    def __init__(self, width: int, kernel: tuple[int, int], dropout: float = DROPOUT, with_other: bool = False) -> None:
        super().__init__()
        self.first = causal_conv(width, width, kernel)
        self.other = causal_conv(width, width, (1, 1)) if with_other else None
        self.second = causal_conv(width, 2 * width, kernel)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Return (n, width, h, w) for features, and other features, of the same shape."""
        out = self.first(F.elu(x))
        if self.other is not None and other is not None:
            out = out + self.other(F.elu(other))
        return x + F.glu(self.second(self.dropout(F.elu(out))), 1)


class CausalAttention(nn.Module):
    """Attention of every place to the places before it; the first sees nothing and gets zeros.

    Parameters
    ----------
    width : int
        Channels of keys' and queries' sources and of the values.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            nn.Sequential(CausalResidual(width, (1, 1), dropout=0.0), causal_conv(width, outputs, (1, 1)))
            for outputs in (KEY, KEY, width)
        )

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """Return (n, width, h, w) for the sources of queries and of keys and values, each (n, width, h, w)."""
        q, k, v = (net(x).flatten(2) for net, x in ((self.query, query), (self.key, key), (self.value, key)))
        before = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device).tril(-1)
        weights = (q.transpose(1, 2) @ k / sqrt(KEY)).float().masked_fill(~before, -1e4).softmax(2) * before
        return (v @ weights.to(v.dtype).transpose(1, 2)).unflatten(2, query.shape[2:])


class Block(nn.Module):
    """Residual blocks over the rows above and over the row up to the place, then attention.

    Parameters
    ----------
    width : int
        Channels.
    stride : int
        Step between the places that have keys and queries.
    """

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.above = nn.ModuleList(CausalResidual(width, (2, 3)) for _ in range(RESIDUAL))
        self.before = nn.ModuleList(CausalResidual(width, (2, 2), with_other=True) for _ in range(RESIDUAL))
        self.key = MaskedConv(2 * width + 2, width, 5, itself=True, stride=stride)
        self.query = MaskedConv(width + 2, width, 5, itself=True, stride=stride)
        self.attention = CausalAttention(width)
        self.spread = nn.ConvTranspose2d(width, width, stride, stride)
        self.merge = CausalResidual(width, (1, 1), with_other=True)

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        """Return (n, width, h, w) for the same and the coordinates of the places, (n, 2, h, w)."""
        above = out = x
        for row, pixel in zip(self.above, self.before, strict=True):
            above = row(above)
            out = pixel(out, F.pad(above, (0, 0, 1, -1)))  # one row down: what it saw is then above
        key, query = self.key(torch.cat([x, out, places], 1)), self.query(torch.cat([out, places], 1))
        return self.merge(out, self.spread(F.elu(self.attention(F.elu(query), F.elu(key)))))


class PixelSNAIL(nn.Module):
    """Distribution over square maps of codes: each code given those before it in raster order.

    As in the code of Naval Marimont and Tarroni, whose network this is, the first places of a row do not see the last
    codes of the row above: nothing follows these in their row that could remember them.

    Parameters
    ----------
    codes : int
        Number K of different codes.
    side : int
        Side of the maps; even where it is larger than 10, where attention then has half the resolution.
    width : int
        Channels.
    blocks : int
        Number of blocks of four pairs of residual blocks and an attention.
    """

    places: Tensor

    def __init__(self, codes: int, side: int, width: int = 128, blocks: int = 4) -> None:
        super().__init__()
        self.codes = codes
        stride = 1 if side <= LARGEST_ATTENTION else 2
        self.first = MaskedConv(codes, width, 7, itself=False)
        self.blocks = nn.ModuleList(Block(width, stride) for _ in range(blocks))
        self.last = nn.Sequential(
            nn.ELU(), nn.Conv2d(width, width, 1), nn.ELU(), weight_norm(nn.Conv2d(width, codes, 1))
        )
        at = torch.arange(side) / side - 0.5
        self.register_buffer("places", torch.stack(torch.meshgrid(at, at, indexing="ij")), persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the log-probabilities, (n, K, h, w), of every code at every place of `codes`, (n, h, w); nats."""
        out = self.first(F.one_hot(codes, self.codes).movedim(-1, 1).float())
        places = self.places.expand(len(codes), -1, -1, -1)
        for block in self.blocks:
            out = block(out, places)
        return self.last(out).float().log_softmax(1)

    def nll(self, codes: Tensor) -> Tensor:
        """Return -log p of every code given those before it, (n, h, w), nats; their sum is that of the map."""
        return F.nll_loss(self(codes), codes, reduction="none")

    def loss(self, codes: Tensor) -> Tensor:
        """Mean of :meth:`nll`."""
        return self.nll(codes).mean()

    def redraw(self, codes: Tensor, limit: Tensor, uniform: Tensor) -> Tensor:
        """Go through maps in raster order, and draw anew every code that those before it make improbable.

        A pass gives the probabilities of all places; those before the first change stay what they are. So
        each map goes from one code to be drawn straight to the next, with a pass for each.

        Parameters
        ----------
        codes : Tensor
            (n, h, w).
        limit : Tensor
            -log p above which a code is drawn anew, nats.
        uniform : Tensor
            Uniform random numbers from which they are drawn, (n, h * w).

        Returns
        -------
        Tensor
            (n, h, w).
        """
        result = codes.flatten(1).clone()
        maps, start = torch.arange(len(codes), device=codes.device), torch.zeros_like(codes[:, 0, 0])
        while len(maps):
            now = result[maps]
            log_p = self(now.view(-1, *codes.shape[1:])).flatten(2)
            due = F.nll_loss(log_p, now, reduction="none") > limit
            due &= torch.arange(now.shape[1], device=now.device) >= start[:, None]
            some = due.any(1)
            maps, at, log_p = maps[some], due[some].float().argmax(1), log_p[some]
            p = log_p[torch.arange(len(maps), device=maps.device), :, at].exp()
            drawn = (p.cumsum(1) <= uniform[maps, at, None]).sum(1)
            result[maps, at], start = drawn.clamp(max=self.codes - 1), at + 1
        return result.view_as(codes)
