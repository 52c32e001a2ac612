"""Patches of an image and places for them in another one, which fit its object (Schlueter et al., ECCV 2022).

Differs from the authors' code: boxes alone, without ellipses; all 200 attempts are drawn at once, the first that fits
counts, so that a batch is one computation and nothing can hang; results are not rounded to grey levels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Gamma

from medad.synthesis.boxes import Boxes, count_inside, inside, move
from medad.synthesis.labels import GREY_LEVELS
from medad.synthesis.median import majority

ATTEMPTS = 200
Blend = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class PatchSampler:
    """How patches are drawn; the defaults are those for chest X-rays, and of MedIAnomaly for all medical images.

    Attributes
    ----------
    bounds : (float, float)
        Least and greatest half-width, as shares of the image's side.
    gamma : (float, float, float)
        Shape, scale and offset: a half-width is offset + Gamma(shape, scale), as a share of the side.
    background : float or None
        Grey level, in [0, 255], of what is no object; with None every pixel is.
    tolerance : float
        Grey levels by which an object differs from the background.
    min_object : float
        A patch must hold more than this share of its source's object.
    min_overlap : float
        More than this share of a shifted patch's object must come to lie on the destination's object.
    most : int
        Patches of an image: the first is always tried, each other with probability 1/2.
    resize : bool
        Whether patches are scaled by a factor of 0.7 to 1.3.
    shift : bool
        Whether patches move; they stay where they were in the source otherwise.
    """

    bounds: tuple[float, float] = (0.03, 0.4)
    gamma: tuple[float, float, float] = (2.0, 0.03, 0.05)
    background: float | None = 0.0
    tolerance: float = 20.0
    min_object: float = 0.7
    min_overlap: float = 0.7
    most: int = 3
    resize: bool = False
    shift: bool = False

    def paste(self, images: Tensor, sources: Tensor, blend: Blend) -> tuple[Tensor, Tensor]:
        """Paste patches of `sources` into `images`, one after another.

        Parameters
        ----------
        images, sources : Tensor
            (n, C, S, S) in [-1, 1].
        blend : callable
            Given images, what is pasted over them (n, C, S, S) and where (n, S, S), returns the images changed there.

        Returns
        -------
        images : Tensor
            (n, C, S, S).
        masks : Tensor
            (n, S, S) ``bool``: where something was pasted; empty if no patch was found that fits.
        """
        objects, theirs = self.objects(images), self.objects(sources)
        masks = torch.zeros_like(objects)
        for number in range(self.most):
            pasted, where = self.draw(sources, theirs, objects)
            if number:
                where &= (torch.rand(len(images), device=images.device) < 0.5)[:, None, None]
            images = blend(images, pasted, where)
            masks |= where
        return images, masks

    def objects(self, images: Tensor) -> Tensor:
        """Return where images differ from the background, without grains, (n, S, S) ``bool``."""
        if self.background is None:
            return torch.ones_like(images[:, 0], dtype=torch.bool)
        grey = (images.mean(1) + 1) * GREY_LEVELS
        return majority((grey - self.background).abs() > self.tolerance, 7)

    def draw(self, sources: Tensor, theirs: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
        """Draw a patch of each source and a place for it.

        Parameters
        ----------
        sources : Tensor
            (n, C, S, S).
        theirs, objects : Tensor
            (n, S, S) ``bool``: the objects of the sources and of the images that are pasted into.

        Returns
        -------
        pasted : Tensor
            (n, C, S, S): the sources, moved such that their patch lies in its place.
        masks : Tensor
            (n, S, S) ``bool``: the place, without what is background in both; empty if none was found.
        """
        box, found = self._box(theirs)
        place = self._resized(box, theirs.shape[-1]) if self.resize else box
        if self.shift:
            place, fits = self._shifted(box, place, theirs, objects)
            found &= fits
        if place is not box:
            sources, theirs = move(sources, box, place), move(theirs[:, None].float(), box, place)[:, 0] > 0.5
        return sources, inside(place, theirs.shape[-1]) & (theirs | objects) & found[:, None, None]

    def _box(self, objects: Tensor) -> tuple[Boxes, Tensor]:
        """Draw boxes that hold enough of the objects; tell which do."""
        n, size, device = len(objects), objects.shape[-1], objects.device
        low, high = (round(bound * size) for bound in self.bounds)
        shape, scale, offset = (torch.tensor(value, device=device) for value in self.gamma)
        half = ((offset + Gamma(shape, 1 / scale).sample((2, n))) * size).clamp(low, high).long()
        centre = torch.randint(low, size - low, (ATTEMPTS, 2, n), device=device)
        first, last = (centre - half).clamp(min=0), (centre + half).clamp(max=size)
        enough = count_inside(objects, first, last) > self.min_object * (last - first).prod(1)
        found, attempt = enough.max(0)
        first, last = (ends[attempt, :, torch.arange(n, device=device)].T for ends in (first, last))
        return Boxes(first, last - first), found

    def _resized(self, box: Boxes, size: int) -> Boxes:
        """Draw other lengths in about the same proportion; a side is no longer than the greatest half-width."""
        low, high = (max(round(bound * size), 1) for bound in self.bounds)
        height, width = box.length.clamp(min=1)
        scale = (1 + 0.5 * torch.randn(len(height), device=height.device)).clamp(0.7, 1.3)
        tall = (scale * height).clamp(low, high)
        wide = (tall / height * width).long().clamp(low, high)
        tall = (wide / width * height).long().clamp(low, high)
        return Boxes(box.first, torch.stack([tall, wide]))

    def _shifted(self, box: Boxes, place: Boxes, theirs: Tensor, objects: Tensor) -> tuple[Boxes, Tensor]:
        """Draw a place within the image where the patch's object lies on the other object; tell which were found."""
        n, size = len(theirs), theirs.shape[-1]
        room = size + 1 - place.length.clamp(min=1)
        first = (torch.rand(ATTEMPTS, 2, n, device=theirs.device) * room).long()
        corner = Boxes(torch.zeros_like(place.first), place.length)
        patch = inside(corner, size) & (move(theirs[:, None].float(), box, corner)[:, 0] > 0.5)
        shared = _overlaps(patch, objects)[torch.arange(n, device=theirs.device), first[:, 0], first[:, 1]]
        count = patch.sum((1, 2))
        found, attempt = (shared > self.min_overlap * count).max(0)
        found &= count > self.min_object * place.length.prod(0)
        return Boxes(first[attempt, :, torch.arange(n, device=theirs.device)].T, place.length), found


def _overlaps(patches: Tensor, objects: Tensor) -> Tensor:
    """Return for each shift of `patches`, (n, S, S), how many pixels they share with `objects`: a correlation."""
    spectrum = torch.fft.rfft2(objects.float()) * torch.fft.rfft2(patches.float()).conj()
    return torch.fft.irfft2(spectrum, s=objects.shape[-2:]).round()
