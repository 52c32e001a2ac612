"""Figures published by Cai et al. (Medical Image Analysis 2023), to stand beside ours."""

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
