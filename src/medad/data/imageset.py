"""The images of one split as one array."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from medad.data.rows import copy_rows


@dataclass(frozen=True)
class ImageSet:
    """Images of one split, decoded once, with what is known about each.

    Attributes
    ----------
    pixels : ndarray
        ``uint8`` or ``uint16``, shape (N, C, H, W), in memory or memory-mapped.
        Values are scaled by the range of the stored type.
    ids : tuple of str
        Path relative to the root of the data set, with extension and frame; unique.
    paths : tuple of str
        Absolute paths of the files; empty strings for generated images.
    labels : ndarray or None
        (N,) ``int8``: 0 normal, 1 abnormal.
    masks : ndarray or None
        (N, H, W) ``bool``: the abnormal region.
    patients, kinds : tuple of str or None
        Patient and kind of abnormality of each image.
    frames : tuple or None
        Which image of its file each is, from 1, None for the only one; None if all are that.
    groups : mapping or None
        By name of :data:`medad.data.groups.GROUPS` what is known of each image, empty where unknown.
    """

    pixels: np.ndarray
    ids: tuple[str, ...]
    paths: tuple[str, ...]
    labels: np.ndarray | None = None
    masks: np.ndarray | None = None
    patients: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    frames: tuple[int | None, ...] | None = None
    groups: Mapping[str, tuple[str, ...]] | None = None

    def __post_init__(self) -> None:
        """Refuse an array of another type or shape.

        Raises
        ------
        ValueError
            If `pixels` is not ``uint8``/``uint16`` (N, C, H, W) or the lists differ in length.
        """
        if self.pixels.dtype not in (np.uint8, np.uint16) or self.pixels.ndim != 4:
            raise ValueError(f"pixels: uint8 or uint16 (N, C, H, W), not {self.pixels.dtype} {self.pixels.shape}")
        optional = (self.labels, self.masks, self.patients, self.kinds, self.frames, *(self.groups or {}).values())
        lengths = {
            len(self.pixels),
            len(self.ids),
            len(self.paths),
            *(len(x) for x in optional if x is not None),
        }
        if len(lengths) > 1:
            raise ValueError(f"pixels, ids and what is known about them differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.ids)

    @property
    def scale(self) -> float:
        """Value that stands for white: 255 or 65535."""
        return float(np.iinfo(self.pixels.dtype).max)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of ids and pixels: two sets with one fingerprint train the same network."""
        digest = hashlib.blake2b("\0".join(self.ids).encode(errors="surrogateescape"), digest_size=16)
        digest.update(f"{self.pixels.dtype}{self.pixels.shape}".encode())
        for block in range(0, len(self), 1024):
            digest.update(np.ascontiguousarray(self.pixels[block : block + 1024]).data)
        return digest.hexdigest()

    def subset(self, index: Sequence[int] | np.ndarray, into: Path | None = None) -> "ImageSet":
        """Return the images at `index`, an integer sequence, in that order.

        Their pixels are copied into memory, or into the ``.npy`` file `into`, which they then map.
        """
        rows = np.asarray(index, dtype=np.int64)
        pick = lambda x: None if x is None else tuple(x[i] for i in rows)  # noqa: E731
        return ImageSet(
            pixels=self.pixels[rows] if into is None else copy_rows(self.pixels, rows, into),
            ids=tuple(self.ids[i] for i in rows),
            paths=tuple(self.paths[i] for i in rows),
            labels=None if self.labels is None else self.labels[rows],
            masks=None if self.masks is None else self.masks[rows],
            patients=pick(self.patients),
            kinds=pick(self.kinds),
            frames=pick(self.frames),
            groups=self.groups and {name: tuple(values[i] for i in rows) for name, values in self.groups.items()},
        )

    def unlabelled(self) -> "ImageSet":
        """Return the same images without labels, masks, kinds and groups: what a detector is given."""
        return replace(self, labels=None, masks=None, kinds=None, groups=None)
