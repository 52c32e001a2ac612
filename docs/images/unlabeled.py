"""Draw unlabeled.png and unlabeled_statistics.png: generated numbers that stand for images.

python docs/images/unlabeled.py, from the root of the checkout.
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib import pyplot as plt
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

NORMAL, OTHER = "#2563eb", "#dc2626"
RATE = 0.3


def clinicians(folder: Path) -> None:
    """Draw what one knows, what is there, and the order that comes of comparing the two pools."""
    rng = np.random.default_rng(3)
    known, healthy = rng.normal(0, 1, (60, 2)), rng.normal(0, 1, (42, 2))
    ill = rng.normal((2.2, 1.6), 0.6, (18, 2))
    archive = np.concatenate([healthy, ill])
    model = LogisticRegression().fit(np.concatenate([known, archive]), np.repeat([0, 1], [60, 60]))
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.1), layout="constrained")
    axes[0].scatter(*known.T, s=18, color=NORMAL)
    axes[0].set_title("1  known normal images", fontsize=10)
    axes[1].scatter(*archive.T, s=18, color="#64748b")
    axes[1].set_title("2  the archive: nobody knows", fontsize=10)
    axes[2].scatter(*archive.T, s=18, c=model.decision_function(archive), cmap="coolwarm")
    axes[2].scatter(*ill.T, s=70, facecolors="none", edgecolors="black", linewidths=0.8)
    axes[2].set_title("3  sorted: red is unlike the normal ones", fontsize=10)
    for ax in axes:
        ax.set(xlim=(-3, 4), ylim=(-3, 4), xticks=[], yticks=[])
    figure.savefig(folder / "unlabeled.png", dpi=100)


def statisticians(folder: Path) -> None:
    """Draw the two densities, the mixture, and the two scores as functions of the same feature."""
    x = np.linspace(-4, 6, 400)
    p0, p1 = norm.pdf(x), norm.pdf(x, 2.5, 0.8)
    mixture = (1 - RATE) * p0 + RATE * p1
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.1), layout="constrained")
    axes[0].plot(x, p0, color=NORMAL, label="$p_0$, normal")
    axes[0].plot(x, p1, color=OTHER, label="$p_1$, abnormal: never seen alone")
    axes[0].plot(x, mixture, "k--", label=rf"$(1-\pi)\,p_0+\pi\,p_1$, unlabeled, $\pi={RATE}$")
    axes[0].set(xlabel="feature", ylabel="density", ylim=(0, 0.75))
    axes[1].plot(x, p1 / (p0 + p1), color=OTHER, label="best classifier, abnormal against normal")
    axes[1].plot(x, mixture / (p0 + mixture), "k--", label="best classifier, unlabeled against normal")
    axes[1].set(xlabel="feature", ylabel="score", ylim=(0, 1.05))
    for ax, place in zip(axes, ("upper left", "lower right"), strict=True):
        ax.legend(fontsize=8, frameon=False, loc=place)
    figure.savefig(folder / "unlabeled_statistics.png", dpi=100)


clinicians(Path(__file__).parent)
statisticians(Path(__file__).parent)
