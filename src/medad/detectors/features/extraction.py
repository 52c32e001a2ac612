"""Descriptors of many images: on all cores, each image once."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from medad.detectors.contract.batches import parallel_map
from medad.detectors.features.descriptor_store import DescriptorStore
from medad.detectors.features.extractors.contract import Extractor
from medad.progress import progress
from medad.training.pixels import to_unit

PIXELS_AT_ONCE = {"cpu": 16 * 128**2, "cuda": 256 * 128**2}
KEPT_AT_ONCE = 256  # images whose descriptors are written together


def content_digest(pixels: np.ndarray) -> bytes:
    """Return a digest of one image, (C, S, S)."""
    digest = blake2b(f"{pixels.shape} {pixels.dtype}".encode(), digest_size=16)
    digest.update(pixels.tobytes())
    return digest.digest()


def descriptors_of(
    extractor: Extractor, store: DescriptorStore, pixels: np.ndarray, threads: int, device: torch.device
) -> np.ndarray:
    """Return the descriptors of images, float32 (n, D).

    Parameters
    ----------
    extractor : Extractor
        As it scores, on `device`.
    store : DescriptorStore
        What is there is not computed again; what is computed is put there.
    pixels : ndarray
        ``uint8`` or ``uint16``, (n, C, S, S), which may be mapped.
    threads : int
        Cores to fill.
    device : device
        Where it is computed.
    """
    digests = [content_digest(image) for image in pixels]
    known = store.read(list(dict.fromkeys(digests)))
    lacking = [i for digest, i in {d: i for i, d in enumerate(digests)}.items() if digest not in known]
    fresh: dict[bytes, np.ndarray] = {}
    with progress(len(lacking), "describing images") as advance:
        for rows, found in _described(extractor, pixels, lacking, threads, device):
            fresh |= {digests[i]: d for i, d in zip(rows, found, strict=True)}
            if len(fresh) >= KEPT_AT_ONCE:
                store.write(fresh)
                known, fresh = known | fresh, {}
            advance(len(rows))
    store.write(fresh)
    known |= fresh
    return np.stack([known[digest] for digest in digests])


def _described(
    extractor: Extractor, pixels: np.ndarray, rows: list[int], threads: int, device: torch.device
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Yield numbers of images and their descriptors, some at a time."""
    size = max(PIXELS_AT_ONCE[device.type] // pixels[0, 0].size, 1) if len(pixels) else 1
    parts = [rows[i : i + size] for i in range(0, len(rows), size)]

    @torch.inference_mode()
    def describe(part: list[int]) -> tuple[list[int], np.ndarray]:
        return part, describe_batch(extractor, to_unit(pixels[part], device)).cpu().numpy()

    yield from parallel_map(describe, parts, threads if device.type == "cpu" else 1)


def describe_batch(extractor: Extractor, x: Tensor) -> Tensor:
    """Return the descriptors, float32 (n, D), of images in [-1, 1]."""
    return extractor.describe(extractor(x)).float()
