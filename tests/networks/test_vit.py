"""The vision transformer against the published one in plain operations, attention against torch's own."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from medad.networks.vit import KINDS, Attention, VisionTransformer

WIDTH, HEADS = KINDS["dinov2_vits14"]


def published(registers: int, width: int = WIDTH) -> dict[str, torch.Tensor]:
    """Return random weights under the published names, with the published shapes."""
    shapes = {"cls_token": (1, 1, width), "pos_embed": (1, 1370, width), "mask_token": (1, width)}
    shapes |= {"register_tokens": (1, registers, width)} if registers else {}
    shapes |= {"patch_embed.proj.weight": (width, 3, 14, 14), "patch_embed.proj.bias": (width,)}
    for i in range(12):
        layers = {"attn.qkv": (3, 1), "attn.proj": (1, 1), "mlp.fc1": (4, 1), "mlp.fc2": (1, 4)}
        for name, (outputs, inputs) in layers.items():
            shapes[f"blocks.{i}.{name}.weight"] = (outputs * width, inputs * width)
            shapes[f"blocks.{i}.{name}.bias"] = (outputs * width,)
        for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias", "ls1.gamma", "ls2.gamma"):
            shapes[f"blocks.{i}.{name}"] = (width,)
    shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
    generator = torch.Generator().manual_seed(registers)
    return {name: torch.randn(shape, generator=generator) * 0.05 for name, shape in shapes.items()}


def plain(w: dict[str, torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """Compute the patch tokens of the last four blocks, (n, places, width), from the published state dict."""
    side, width = x.shape[-1] // 14, w["norm.bias"].shape[0]
    patches = x.unfold(2, 14, 14).unfold(3, 14, 14).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
    tokens = patches @ w["patch_embed.proj.weight"].flatten(1).T + w["patch_embed.proj.bias"]
    tokens = torch.cat([w["cls_token"].expand(len(x), 1, width), tokens], 1)
    registers = w.get("register_tokens")
    places = w["pos_embed"][:, 1:].reshape(1, 37, 37, width).permute(0, 3, 1, 2)
    if side != 37 and registers is None:
        places = F.interpolate(places, scale_factor=((side + 0.1) / 37,) * 2, mode="bicubic")
    elif side != 37:
        places = F.interpolate(places, size=(side, side), mode="bicubic", antialias=True)
    x = tokens + torch.cat([w["pos_embed"][:, :1], places.permute(0, 2, 3, 1).reshape(1, -1, width)], 1)
    if registers is not None:
        x = torch.cat([x[:, :1], registers.expand(len(x), -1, -1), x[:, 1:]], 1)
    found = []
    for i in range(12):
        b = {name.removeprefix(f"blocks.{i}."): v for name, v in w.items() if name.startswith(f"blocks.{i}.")}
        y = F.layer_norm(x, (width,), b["norm1.weight"], b["norm1.bias"], 1e-6)
        q, k, v = (
            part.reshape(*part.shape[:2], HEADS, -1).transpose(1, 2)
            for part in (y @ b["attn.qkv.weight"].T + b["attn.qkv.bias"]).split(width, 2)
        )
        seen = (q @ k.transpose(2, 3) / math.sqrt(width // HEADS)).softmax(-1) @ v
        y = seen.transpose(1, 2).reshape(x.shape) @ b["attn.proj.weight"].T + b["attn.proj.bias"]
        x = x + y * b["ls1.gamma"]
        y = F.layer_norm(x, (width,), b["norm2.weight"], b["norm2.bias"], 1e-6)
        y = F.gelu(y @ b["mlp.fc1.weight"].T + b["mlp.fc1.bias"]) @ b["mlp.fc2.weight"].T + b["mlp.fc2.bias"]
        x = x + y * b["ls2.gamma"]
        if i >= 8:
            normed = F.layer_norm(x, (width,), w["norm.weight"], w["norm.bias"], 1e-6)
            found.append(normed[:, 1 + (0 if registers is None else registers.shape[1]) :])
    return found


@pytest.mark.parametrize("registers", [0, 4])
def test_tokens_are_those_of_the_published_network(registers):
    state = published(registers)
    network = VisionTransformer(WIDTH, HEADS, registers)
    missing = network.load_state_dict(state, strict=False)
    assert (missing.missing_keys, missing.unexpected_keys) == ([], ["mask_token"])
    x = torch.randn(2, 3, 70, 70, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found, expected = network.last_tokens(x, 4), plain(state, x)
    assert len(found) == 4
    for one, other in zip(found, expected, strict=True):
        assert one.shape == (2, WIDTH, 5, 5)
        torch.testing.assert_close(one.flatten(2).transpose(1, 2), other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("registers", [0, 4])
def test_at_518_pixels_places_have_the_embeddings_of_the_file(registers):
    network = VisionTransformer(12, 1, registers)
    state = {name: value for name, value in published(registers, 12).items() if name != "mask_token"}
    network.load_state_dict(state)
    x = torch.zeros(1, 3, 518, 518)
    with torch.inference_mode():
        tokens = network._tokens(x)[:, 1 + registers :]
    expected = state["pos_embed"][:, 1:] + state["patch_embed.proj.bias"]
    torch.testing.assert_close(tokens, expected)


def test_attention_is_torch_s():
    torch.manual_seed(0)
    ours, theirs = Attention(24, 3), nn.MultiheadAttention(24, 3, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.proj.weight,
            "out_proj.bias": ours.proj.bias,
        }
    )
    x = torch.randn(2, 7, 24)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(x, x, x)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kind", "parameters"), [("dinov2_vits14", 22_056_576), ("dinov2_vitb14", 86_580_480)])
def test_it_has_the_published_number_of_weights(kind, parameters):
    with torch.device("meta"):
        network = VisionTransformer(*KINDS[kind])
    assert sum(p.numel() for p in network.parameters()) == parameters - KINDS[kind][0]  # without the mask's token
