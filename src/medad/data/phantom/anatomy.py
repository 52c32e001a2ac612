"""A generated patient: one head-like slice as a function of coordinates, and its scan.

The anatomy is a formula, not a picture: it can be evaluated at any point, so that an image of any size
shows the same patient, and a deformation is exact (other coordinates, no interpolation of pixels).
Head coordinates: origin at the centre of the head, y downward (front of the head on top), unit length half
the head's height.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

CELLS = 32  # cells of one period of a random field
FIELD_STD = 0.55  # standard deviation of quadratic B-splines weighted by unit noise
AIR = 0.02


@dataclass(frozen=True)
class Patient:
    """What differs between two patients; lengths in head coordinates, intensities in [0, 1].

    Attributes
    ----------
    rotation, scale, shift
        Pose: radians, half the head's height and the (x, y) centre in units of half the image.
    aspect, egg
        Width over height, and how much the back of the head is wider than the front.
    scalp, bone, gap
        Depths below the surface where scalp, bone and the fluid around the brain end.
    ventricle_width, ventricle_length
        (2,) each: left and right lateral ventricle.
    fissure
        Sideways bend of the mid-line.
    gyri, ribbon
        Number of folds of the cortex around the head and thickness of their grey ribbon.
    rim, fluid, grey, white
        Intensities of scalp, fluid, grey and white matter.
    weights
        (3, CELLS, CELLS) random fields: waves and lengths of the folds, mottling.
    """

    rotation: float
    scale: float
    shift: np.ndarray
    aspect: float
    egg: float
    scalp: float
    bone: float
    gap: float
    ventricle_width: np.ndarray
    ventricle_length: np.ndarray
    fissure: float
    gyri: int
    ribbon: float
    rim: float
    fluid: float
    grey: float
    white: float
    weights: np.ndarray


def draw_patient(rng: np.random.Generator) -> Patient:
    """Draw a patient; the number of draws does not depend on any image size."""
    scalp = rng.uniform(0.04, 0.075)
    bone = scalp + rng.uniform(0.045, 0.085)
    return Patient(
        rotation=rng.normal(0, 0.09),
        scale=rng.uniform(0.82, 0.93),
        shift=rng.normal(0, 0.02, 2),
        aspect=rng.uniform(0.76, 0.86),
        egg=rng.uniform(0.0, 0.12),
        scalp=scalp,
        bone=bone,
        gap=bone + rng.uniform(0.01, 0.04),
        ventricle_width=rng.uniform(0.035, 0.085) * rng.uniform(0.85, 1.15, 2),
        ventricle_length=rng.uniform(0.26, 0.38) * rng.uniform(0.92, 1.08, 2),
        fissure=rng.normal(0, 0.02),
        gyri=int(rng.integers(18, 27)),
        ribbon=rng.uniform(0.035, 0.055),
        rim=rng.uniform(0.75, 0.95),
        fluid=rng.uniform(0.12, 0.22),
        grey=rng.uniform(0.42, 0.52),
        white=rng.uniform(0.66, 0.76),
        weights=rng.standard_normal((3, CELLS, CELLS)),
    )


def head_coordinates(patient: Patient, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y, each (size, size), of the pixels' centres in the patient's head coordinates."""
    axis = (2 * np.arange(size) + 1) / size - 1
    x, y = axis[None, :] - patient.shift[0], axis[:, None] - patient.shift[1]
    cos, sin = np.cos(patient.rotation), np.sin(patient.rotation)
    return (cos * x + sin * y) / patient.scale, (cos * y - sin * x) / patient.scale


def random_field(weights: np.ndarray, x: np.ndarray, y: np.ndarray, cell: float) -> np.ndarray:
    """Return a smooth random field of unit variance and correlation length `cell` at the points (x, y)."""
    at = np.stack([y, x]) / cell
    return map_coordinates(weights, at, order=2, mode="grid-wrap", prefilter=False) / FIELD_STD


def depth(patient: Patient, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the depth of the points below the surface of the head (about a distance; negative outside)."""
    return patient.aspect * (1 - np.hypot(x / (patient.aspect * (1 + patient.egg * y)), y))


def _over(image: np.ndarray, value: float | np.ndarray, inside: np.ndarray, pixel: float) -> np.ndarray:
    """Paint `value` where the signed distance `inside` is positive, with an edge one pixel wide."""
    return image + (value - image) * np.clip(0.5 + inside / pixel, 0, 1)


def _brain(patient: Patient, x: np.ndarray, y: np.ndarray, inward: np.ndarray) -> np.ndarray:
    """Grey and white matter: `gyri` folds around the head, wavy and of unequal length, in a grey ribbon."""
    wave, length, mottle = patient.weights
    phase = 0.5 * patient.gyri * np.arctan2(x, y) + 1.1 * random_field(wave, x, y, 0.22)
    across = np.abs(np.sin(phase)) * np.hypot(x, y) * 2 / patient.gyri  # about the distance to a sulcus
    reach = 0.20 + 0.07 * random_field(length, x, y, 0.3)
    within = np.clip((reach - inward) / 0.08, 0, 1)
    sulcus = within * np.exp(-((across / (0.3 * patient.ribbon)) ** 2))
    surface, walls = np.exp(-((inward / patient.ribbon) ** 4)), np.exp(-((across / patient.ribbon) ** 4))
    ribbon = np.maximum(surface, within * walls)
    tissue = patient.white + (patient.grey - patient.white) * ribbon
    return tissue + 0.8 * (patient.fluid - tissue) * sulcus + 0.025 * random_field(mottle, x, y, 0.09)


def render(patient: Patient, x: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """Return the patient's slice without noise at the head coordinates (x, y).

    Parameters
    ----------
    patient : Patient
        The anatomy.
    x, y : ndarray
        Head coordinates, of one shape.
    size : int
        Pixels along a side of the whole image: edges are one pixel wide.

    Returns
    -------
    ndarray
        Intensities in about [0, 1], the shape of `x`.
    """
    pixel = 2 / size / patient.scale
    below = depth(patient, x, y)
    image = np.full_like(x, AIR)
    for value, start in ((patient.rim, 0.0), (0.08, patient.scalp), (patient.fluid, patient.bone)):
        image = _over(image, value, below - start, pixel)
    inward = below - patient.gap
    image = _over(image, _brain(patient, x, y, inward), inward, pixel)
    across = x - patient.fissure * np.cos(2 * y)
    fissure = np.minimum(np.minimum(0.014 - np.abs(across), np.abs(y) - 0.42), inward)
    image = _over(image, patient.fluid, fissure, pixel)
    return _deep_structures(patient, image, across, y, pixel)


def _deep_structures(patient: Patient, image: np.ndarray, x: np.ndarray, y: np.ndarray, pixel: float) -> np.ndarray:
    """Paint the deep grey nuclei and over them the butterfly of the lateral ventricles and the third one."""
    side = (x > 0).astype(int)
    width, length = patient.ventricle_width[side], patient.ventricle_length[side]
    outward = np.abs(x)
    nucleus = 0.15 - np.hypot(outward - 0.2, (y - 0.02) * 0.7)
    image = _over(image, 0.5 * (patient.grey + patient.white) - 0.03, nucleus, pixel + 0.05)
    middle = 0.03 + 0.9 * width + 0.9 * y**2
    lateral = width * np.sqrt(np.maximum(1 - (y / length) ** 2, 0)) - np.abs(outward - middle)
    lateral = np.minimum(lateral, length - np.abs(y))
    third = np.minimum(0.25 * width.mean() - outward, 0.12 - np.abs(y - 0.1))
    return _over(image, patient.fluid, np.maximum(lateral, third), pixel)
