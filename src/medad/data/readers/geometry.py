"""How the slices of a volume lie in the patient: from the voxels of a file to pictures, and back again."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Axis = Literal["sagittal", "coronal", "axial"]
AXES: tuple[Axis, ...] = get_args(Axis)  # along x, y and z of a volume that runs to the right, to the front and upwards
AS_GOOD_AS = 0.99  # spacings that differ by less are taken for equal: affines are rounded


@dataclass(frozen=True)
class Geometry:
    """Which way the axes of a file's voxels run, and along which of them it is cut into slices.

    A volume is turned to nibabel's closest canonical orientation, whose axes run to the patient's right, front and
    top (RAS+), without resampling: oblique volumes stay oblique. Slices are shown as radiologists look at them: axial
    ones with the front of the patient at the top, coronal and sagittal ones with the head at the top; the patient's
    right is on the left of the picture, in sagittal ones the front is. Slice 1 is the lowest, the hindmost or the
    leftmost one of the patient.

    Attributes
    ----------
    shape : tuple of int
        (I, J, K) voxels, as the file stores them.
    affine : ndarray
        (4, 4): takes the indices of a voxel of the file to millimetres.
    orientation : ndarray
        (3, 2), nibabel's: the canonical axis that each axis of the file becomes, and -1 where it is turned round.
    axis : int
        The canonical axis along which the slices lie, see `AXES`.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    orientation: np.ndarray
    axis: int

    @classmethod
    def of(cls, shape: tuple[int, int, int], affine: np.ndarray, axis: Axis | None = None) -> "Geometry":
        """Look at an affine; without `axis`, slices lie along the largest spacing.

        Of equal ones the last is taken, which makes axial slices, and an axis of a single voxel before all others.
        """
        from nibabel.orientations import io_orientation

        orientation = io_orientation(affine)
        if axis is not None:
            return cls(shape, affine, orientation, AXES.index(axis))
        new = cls(shape, affine, orientation, 0)
        single = [i for i, length in enumerate(new.canonical_shape) if length == 1]
        wide = [i for i, distance in enumerate(new.distances) if distance >= AS_GOOD_AS * max(new.distances)]
        return cls(shape, affine, orientation, (single or wide)[-1])

    @property
    def canonical_shape(self) -> tuple[int, ...]:
        """Voxels to the right, to the front and upwards."""
        return tuple(self.shape[i] for i in self._order)

    @property
    def distances(self) -> tuple[float, ...]:
        """Millimetres from one voxel to the next one to the right, to the front and upwards."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return tuple(float(lengths[i]) for i in self._order)

    @property
    def slices(self) -> int:
        """How many there are."""
        return self.canonical_shape[self.axis]

    @property
    def spacing(self) -> tuple[float, float]:
        """Millimetres from one row of a picture to the next, and from one column to the next."""
        across, down = (distance for i, distance in enumerate(self.distances) if i != self.axis)
        return down, across

    def picture(self, voxels: np.ndarray, number: int) -> np.ndarray:
        """Return slice `number`, from 1, of the (I, J, K, ...) voxels of the file as (rows, columns, ...): a view."""
        plane = self._canonical(voxels)[(slice(None),) * self.axis + (number - 1,)]
        return plane[::-1, ::-1].swapaxes(0, 1)

    def voxels(self, pictures: np.ndarray) -> np.ndarray:
        """Put pictures of all slices, (slices, rows, columns), back as the file stores its voxels: (I, J, K)."""
        planes = np.asarray(pictures).swapaxes(1, 2)[:, ::-1, ::-1]
        canonical = np.moveaxis(planes, 0, self.axis)
        turned = canonical[tuple(slice(None, None, -1 if self._flips[i] else 1) for i in self._order)]
        return turned.transpose(np.argsort(self._order))

    @property
    def _order(self) -> list[int]:
        """The axis of the file that becomes the first, second and third canonical one."""
        return [int(i) for i in np.argsort(self.orientation[:, 0])]

    @property
    def _flips(self) -> list[bool]:
        return [bool(flip < 0) for flip in self.orientation[:, 1]]

    def _canonical(self, voxels: np.ndarray) -> np.ndarray:
        flipped = voxels[tuple(slice(None, None, -1 if flip else 1) for flip in self._flips)]
        return flipped.transpose([*self._order, *range(3, voxels.ndim)])
