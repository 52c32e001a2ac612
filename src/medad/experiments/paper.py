"""Figures published by Cai et al. (Medical Image Analysis 2023 and MICCAI 2024), to stand beside ours."""

from collections.abc import Mapping
from typing import Any

SCORES = ("a_rec", "a_rec_ensemble", "a_intra", "a_inter", "r_intra", "r_dual")
BACKBONES = ("ae", "memae", "aeu")
SETS = ("rsna", "vindr", "cxad", "brain_tumor", "lag")  # the columns of Tables 2 and 3; CXAD is not public

_BY_SCORE = {
    "a_rec": ((66.9, 68.0, 86.7), (55.9, 55.8, 73.8), (55.6, 56.0, 66.4), (79.7, 77.4, 94.0), (79.3, 78.5, 81.3)),
    "a_rec_ensemble": (
        (66.9, 67.0, 86.6),
        (55.5, 55.3, 73.1),
        (55.0, 55.2, 65.9),
        (81.3, 79.2, 93.3),
        (78.8, 79.2, 82.1),
    ),
    "a_intra": ((69.4, 72.9, 87.3), (60.1, 59.5, 74.3), (59.8, 59.4, 69.2), (55.9, 52.6, 84.5), (72.1, 71.3, 75.3)),
    "a_inter": ((81.5, 78.8, 91.0), (71.0, 69.0, 85.9), (62.1, 59.9, 71.4), (84.4, 83.2, 97.1), (87.2, 88.5, 80.6)),
    "r_intra": ((86.3, 87.2, 88.3), (77.2, 73.9, 78.2), (63.8, 62.4, 69.4), (85.0, 82.9, 94.2), (79.5, 80.1, 86.0)),
    "r_dual": ((89.3, 88.5, 91.3), (77.4, 75.3, 85.9), (65.0, 64.5, 71.0), (93.0, 91.4, 97.2), (89.0, 88.7, 93.1)),
}
# Table 3: by data set and score, AUROC in % with the backbones AE, MemAE and AE-U. R_dual of MemAE on CXAD is 63.5 in
# Table 2 and in the text.
TABLE_3 = {name: {score: row[i] for score, row in _BY_SCORE.items()} for i, name in enumerate(SETS)}


def published_auroc(dataset: str, backbone: str, score: str) -> float | None:
    """Return the AUROC in % of Table 3, None where the paper has none."""
    row = TABLE_3.get(dataset, {}).get(score)
    return None if row is None else row[BACKBONES.index(backbone)]


_BY_METHOD = {
    "ae": ((66.9, 66.1), (55.9, 60.3), (55.6, 59.6), (79.7, 71.9), (79.3, 76.1)),
    "memae": ((68.0, 67.1), (55.8, 59.8), (56.0, 60.0), (77.4, 70.0), (78.5, 74.9)),
    "ganomaly": ((71.4, 69.1), (59.6, 60.3), (62.5, 63.0), (75.1, 69.7), (77.7, 75.7)),
    "draem": ((62.3, 61.6), (63.0, 68.3), (54.3, 55.6), (72.1, 64.6), (47.2, 49.0)),
    "fpi": ((47.6, 55.7), (48.2, 49.9), (44.8, 47.6), (83.1, 78.9), (53.4, 55.6)),
    "pii": ((82.9, 83.6), (65.9, 65.8), (52.7, 53.7), (84.3, 80.5), (61.0, 60.7)),
    "nsa": ((82.2, 82.6), (64.4, 65.8), (58.5, 58.2), (84.4, 81.1), (67.9, 67.0)),
    "cutpaste": ((75.1, 72.6), (59.6, 58.6), (50.3, 53.6), (92.0, 89.9), (63.4, 59.8)),
    "cutpaste, pretrained": ((79.4, 74.4), (70.2, 69.8), (53.6, 57.3), (92.0, 89.4), (69.1, 64.6)),
    "cutpaste_e2e": ((55.0, 58.0), (54.6, 55.5), (47.0, 48.4), (71.0, 66.8), (53.7, 53.9)),
    "fpi*": ((46.6, 53.8), (47.4, 49.4), (45.3, 47.6), (86.6, 83.8), (52.9, 56.1)),
    "pii*": ((84.3, 85.4), (66.8, 67.2), (54.4, 54.8), (90.0, 89.1), (63.1, 63.1)),
    "nsa*": ((84.2, 84.3), (64.4, 64.8), (57.4, 57.0), (88.8, 84.7), (68.6, 68.0)),
    "cutpaste_e2e*": ((59.8, 61.7), (59.2, 60.0), (48.9, 50.7), (69.8, 64.9), (48.9, 51.7)),
    "fanogan": ((79.8, 75.6), (76.3, 74.8), (61.9, 67.3), (82.5, 74.3), (84.2, 77.5)),
    "igd": ((81.2, 78.0), (59.2, 58.7), (55.2, 57.6), (94.3, 90.6), (80.7, 75.3)),
    "aeu": ((86.7, 84.7), (73.8, 72.8), (66.4, 66.9), (94.0, 89.0), (81.3, 78.9)),
    "r_intra, ae": ((86.3, 85.5), (77.2, 74.2), (63.8, 65.4), (85.0, 77.6), (79.5, 74.5)),
    "r_intra, memae": ((87.2, 86.1), (73.9, 72.1), (62.4, 64.5), (82.9, 78.6), (80.1, 77.6)),
    "r_intra, aeu": ((88.3, 87.6), (78.2, 74.6), (69.4, 69.3), (94.2, 91.9), (86.0, 84.0)),
    "r_dual, ae": ((89.3, 89.5), (77.4, 77.7), (65.0, 67.2), (93.0, 87.1), (89.0, 86.9)),
    "r_dual, memae": ((88.5, 87.8), (75.3, 74.1), (63.5, 64.3), (91.4, 84.8), (88.7, 86.5)),
    "r_dual, aeu": ((91.3, 91.6), (85.9, 84.3), (71.0, 72.7), (97.2, 95.2), (93.1, 92.3)),
}
# Table 2: by data set and method, or DDAD's score and backbone, AUROC and AP in %; with a star: with unlabeled images.
TABLE_2 = {name: {method: row[i] for method, row in _BY_METHOD.items()} for i, name in enumerate(SETS)}

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
    if options.get("use_unlabeled") and run["unlabeled"]:
        method = f"{method}*"
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

# AU-PRO up to 0.3 in %, means over the 15 sets of MVTec AD: Bergmann et al., CVPR 2020, Table 1 (students: multiscale);
# Defard et al., ICPR-W 2021, and Roth et al., CVPR 2022, with Wide-ResNet-50-2.
MVTEC_PRO = {
    "student_teacher": 91.4,
    "nearest_patch": 64.0,
    "ocsvm": 47.9,
    "kmeans": 42.3,
    "ae": 79.0,
    "vae": 63.9,
    "ssim_ae": 69.4,
    "anogan": 44.3,
    "cnn_feature_dictionary": 51.5,
    "padim": 92.1,
    "patchcore": 93.5,
}
