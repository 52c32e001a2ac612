"""Lesions of generated patients: bright, dark, texture only, deformation.

A lesion changes the noiseless slice inside an irregular outline and nothing outside it. How strong it is
follows one rule for each level, written down before any detector saw an image of it: see `draw_lesion`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_fill_holes

from medad.data.phantom.anatomy import CELLS, Patient, random_field, render

KINDS = ("bright", "dark", "texture", "deformation")
LEVELS = {
    "subtle": {"bright": (0.6, 1.4), "dark": (0.6, 1.4), "texture": (0.5, 1.0), "deformation": (0.7, 1.0)},
    "plain": {"bright": (2.0, 3.0), "dark": (2.0, 3.0), "texture": (1.5, 2.5), "deformation": (0.7, 1.0)},
}
WIDENING = {"subtle": 1.0, "plain": 1.5}  # a deformation is wide already: a wider one would not fit into the brain
GRAIN = 0.05  # correlation length of an abnormal texture, in head coordinates
MOVED = 0.012  # displacement, in head coordinates, from which on a point belongs to a deformation's mask
_ORDERS = np.arange(2, 6)


@dataclass(frozen=True)
class Lesion:
    """One lesion; lengths in head coordinates.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    centre : ndarray
        (2,) x and y.
    radius : float
        Mean radius of the outline.
    waves : ndarray
        (2, 4) cosine and sine amplitudes of the outline's second to fifth harmonic, relative to the radius.
    strength : float
        How strong it is: see `draw_lesion`.
    weights : ndarray
        (CELLS, CELLS) random field, used by kind texture.
    """

    kind: str
    centre: np.ndarray
    radius: float
    waves: np.ndarray
    strength: float
    weights: np.ndarray


def draw_lesion(rng: np.random.Generator, kind: str, patient: Patient, level: str = "subtle") -> Lesion:
    """Draw a lesion of `kind` that lies inside the brain of `patient`.

    The rule of level "subtle": a person who looks carefully finds most lesions, but only by place and form,
    as every intensity that they bring is about as far from the surroundings as healthy tissues are from each
    other; mean intensity, histogram and thumbnail must not separate the classes. The yardstick is the
    patient's own difference between white and grey matter: bright and dark shift the intensity by 0.6 to
    1.4 of it (`strength`); texture keeps the mean of the region and exchanges its texture for a finer one
    with a standard deviation of 0.5 to 1 of it. Deformation changes no intensity: it moves tissue by at
    most 0.29 `strength` radii, `strength` 0.7 to 1, outward (a mass that pushes) or inward (a pinch,
    negative).

    The rule of level "plain": a person finds the lesion at a glance. Bright and dark shift the intensity by
    2 to 3 times the difference between white and grey matter, a texture has 1.5 to 2.5 of it as standard
    deviation, and these three are half again as wide; deformations are those of "subtle", as stronger ones
    would turn tissue inside out.
    """
    low, high = LEVELS[level][kind]
    deforms = kind == "deformation"
    strength = rng.uniform(low, high) * rng.choice((-1, 1) if deforms else (1, 1))
    radius = rng.uniform(0.1, 0.21) * (1.7 if deforms else WIDENING[level])
    waves = rng.standard_normal((2, len(_ORDERS))) * 0.25 / _ORDERS
    widest = radius * _relative_outline(waves, np.linspace(0, 2 * np.pi, 64)).max()
    farthest = 0.95 - (patient.gap + widest) / patient.aspect
    angle, away = rng.uniform(0, 2 * np.pi), farthest * np.sqrt(rng.uniform())
    centre = away * np.array([patient.aspect * np.cos(angle), np.sin(angle)])
    return Lesion(kind, centre, radius, waves, strength, rng.standard_normal((CELLS, CELLS)))


def add_lesion(
    patient: Patient, lesion: Lesion, x: np.ndarray, y: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Render the patient with the lesion.

    Parameters
    ----------
    patient, lesion : Patient, Lesion
        Whom to draw, and what is wrong.
    x, y : ndarray
        (size, size) head coordinates of the pixels.
    size : int
        Pixels along a side.

    Returns
    -------
    slice : ndarray
        (size, size) noiseless intensities.
    mask : ndarray
        (size, size) bool: the abnormal region.
    support : ndarray
        (size, size) bool: outside it the slice equals the healthy one exactly. For bright, dark and texture
        it is the mask. For a deformation the mask is where the displacement is `MOVED` or more, and what that
        encloses, and the support where it is not zero.
    """
    healthy = render(patient, x, y, size)
    dx, dy = x - lesion.centre[0], y - lesion.centre[1]
    distance, outline = np.hypot(dx, dy), lesion.radius * _relative_outline(lesion.waves, np.arctan2(dy, dx))
    support = distance < outline
    if lesion.kind == "deformation":
        moved = lesion.strength * np.clip(1 - (distance / outline) ** 2, 0, 1) ** 2
        warped = render(patient, x - moved * dx, y - moved * dy, size)
        mask = binary_fill_holes(np.abs(moved) * distance >= MOVED)
        return np.where(support, warped, healthy), mask, support
    share = np.clip((outline - distance) * size * patient.scale / 4, 0, 1)  # the outer two pixels fade
    amount = lesion.strength * (patient.white - patient.grey)
    if lesion.kind == "texture":
        return healthy + _other_texture(lesion, amount, healthy, share, dx, dy), support, support
    return healthy + amount * share * (-1 if lesion.kind == "dark" else 1), support, support


def _relative_outline(waves: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Return the radius of the outline in each direction, relative to the mean radius."""
    multiples = np.multiply.outer(_ORDERS, angle)
    radius = 1 + np.tensordot(waves[0], np.cos(multiples), 1) + np.tensordot(waves[1], np.sin(multiples), 1)
    return np.clip(radius, 0.4, 1.4)  # the largest still fits into the smallest brain


def _other_texture(
    lesion: Lesion, deviation: float, healthy: np.ndarray, share: np.ndarray, dx: np.ndarray, dy: np.ndarray
) -> np.ndarray:
    """Return the change that makes the region's texture a fine one of the same mean (weighted by `share`)."""
    grain = deviation * random_field(lesion.weights, dx, dy, GRAIN)
    return share * (grain - healthy - np.average(grain - healthy, weights=share))
