"""Figures published by Cai et al. (Medical Image Analysis 2023 and MICCAI 2024), to stand beside ours."""

from collections.abc import Mapping
from typing import Any

SCORES = ("a_rec", "a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual")
BACKBONES = ("ae", "memae", "aeu")

# Table 3: AUROC in % of each score with the backbones AE, MemAE and AE-U.
TABLE_3 = {
    "brain_tumor": {
        "a_rec": (79.7, 77.4, 94.0),
        "a_rec_ensemble": (81.3, 79.2, 93.3),
        "a_intra": (55.9, 52.6, 84.5),
        "a_inter": (84.4, 83.2, 97.1),
        "r_intra": (85.0, 82.9, 94.2),
        "r_dual": (93.0, 91.4, 97.2),
    },
}


def published_auroc(dataset: str, backbone: str, score: str) -> float | None:
    """Return the AUROC in % of Table 3, None where the paper has none."""
    row = TABLE_3.get(dataset, {}).get(score)
    return None if row is None else row[BACKBONES.index(backbone)]


# Table 2, brain tumour MRI: AUROC and AP in % of each method and of DDAD's scores by backbone.
TABLE_2 = {
    "brain_tumor": {
        "ae": (79.7, 71.9),
        "memae": (77.4, 70.0),
        "ganomaly": (75.1, 69.7),
        "draem": (72.1, 64.6),
        "fpi": (83.1, 78.9),
        "pii": (84.3, 80.5),
        "nsa": (84.4, 81.1),
        "fanogan": (82.5, 74.3),
        "igd": (94.3, 90.6),
        "aeu": (94.0, 89.0),
        "r_intra, ae": (85.0, 77.6),
        "r_intra, memae": (82.9, 78.6),
        "r_intra, aeu": (94.2, 91.9),
        "r_dual, ae": (93.0, 87.1),
        "r_dual, memae": (91.4, 84.8),
        "r_dual, aeu": (97.2, 95.2),
    },
}

# Cai, Chen, Cheng, MICCAI 2024 (brain tumour MRI, MedIAnomaly's recipe, 16 latent values): AUROC and, of AE, AP in %.
LATENT_16: dict[str, dict[str, tuple[float, float | None]]] = {
    "brain_tumor": {"ae": (85.9, 76.9), "vae": (85.3, None), "memae": (82.6, None), "ceae": (85.3, None)},
}


def published_figures(dataset: str, run: Mapping[str, Any]) -> tuple[float, float | None, int] | None:
    """Return AUROC and AP in % published for the method of a ``run.yaml``, and their source: 1 or 2; None for none.

    1 is Cai et al. 2023 (Table 2), whose recipe for AE, MemAE and AE-U is form ``"ddad"``; 2 the figures of
    MedIAnomaly's recipe. Both are of the squared error, those of DDAD of R_dual.
    """
    method, options = run["method"], run["options"]
    if options.get("loss", "l2") != "l2" or not options.get("refine", True):
        return None
    if method == "ddad":
        method = f"r_dual, {options['backbone']}"
    table_2: Mapping[str, tuple[float, float | None]] = TABLE_2.get(dataset, {})
    if method in table_2 and options.get("form") != "medianomaly":
        return *table_2[method], 1
    latent_16 = LATENT_16.get(dataset, {})
    return (*latent_16[method], 2) if method in latent_16 else None


# Table 4, VinDr-CXR: by unlabeled images and score, AUROC and AP in % on seen and on unseen pathologies.
TABLE_4 = {
    ("none", "a_rec"): ((49.7, 55.6), (63.7, 70.1)),
    ("normal", "a_inter"): ((54.0, 60.0), (66.0, 71.1)),
    ("normal + seen", "a_inter"): ((64.2, 70.8), (70.0, 75.8)),
}

# Table 5, RSNA, backbone AE: by K, AUROC and AP in % of A_intra and of A_inter.
TABLE_5 = {
    2: ((69.5, 69.3), (79.6, 79.3)),
    3: ((69.4, 68.5), (81.5, 81.0)),
    5: ((69.5, 68.9), (84.2, 83.4)),
    7: ((69.7, 69.2), (84.8, 83.9)),
    11: ((69.0, 68.4), (85.4, 84.6)),
    15: ((69.1, 68.5), (86.0, 85.1)),
}

# Table 6, RSNA: by backbone and score, AUROC and AP in % of an ensemble of 3 and of MC dropout with 256 passes.
TABLE_6 = {
    ("ae", "a_intra"): ((69.4, 68.5), (69.5, 67.8)),
    ("ae", "a_inter"): ((81.5, 81.0), (78.5, 77.0)),
    ("aeu", "a_intra"): ((87.3, 86.3), (63.1, 63.4)),
    ("aeu", "a_inter"): ((91.0, 91.3), (79.8, 81.2)),
}

# Figure 6, RSNA, backbone AE: AUROC in % by anomaly rate, as far as the text tells.
FIGURE_6 = {
    "a_rec": dict.fromkeys((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), 66.9),
    "a_intra": dict.fromkeys((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), 69.4),
    "r_intra": dict.fromkeys((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), 86.3),
    "a_inter": {0.6: 81.5},
    "r_dual": {0.0: 87.0, 0.6: 89.3},
}

# Figure 8, RSNA, backbone AE: chi-squared distance of the histograms of normal and abnormal images.
FIGURE_8 = {"a_rec": 28.81, "a_intra": 33.06, "a_inter": 44.03, "r_intra": 45.52, "r_dual": 55.31}
