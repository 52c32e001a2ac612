"""What each experiment says: our figures beside the published ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from medad.evaluation.comparison import Tables
from medad.evaluation.estimates import image_figures
from medad.evaluation.metric_list import CHI2
from medad.evaluation.metrics import chi_squared_distance
from medad.evaluation.scores import ScoreTable
from medad.experiments.deduplicated import Kept
from medad.experiments.paper import (
    BACKBONES,
    FIGURE_6,
    FIGURE_8,
    SCORES,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_6,
)
from medad.experiments.reproduce.beside import Beside, in_percent
from medad.experiments.subsets import of_kind, restrict
from medad.reports.markdown import markdown_table

Section = Callable[[str, Tables, Kept], Iterator[str]]  # of a data set's name, scores, and de-duplicated images
SEVERAL = "rsna"  # on which the paper varies sizes, rates and networks


def table2(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Methods, and DDAD's refined scores by backbone."""
    known = TABLE_2.get(dataset, {})
    beside = Beside(dataset, kept, dataset if known else "")
    rows = [["method", *beside.head]]
    for label, some in tables.items():
        method = label.removesuffix(" alone")
        if method != label:
            rows.append([method, *beside.cells(some, "pred_score", known.get(method))])
        else:
            scores = ("r_intra", "r_dual")
            rows += [[f"DDAD, {s}, {label}", *beside.cells(some, s, known.get(f"{s}, {label}"))] for s in scores]
    yield beside.source
    yield markdown_table(rows)


def table3(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Backbones and scores."""
    known = TABLE_3.get(dataset, {})
    beside = Beside(dataset, kept, dataset if known else "")
    yield beside.source
    rows = [["backbone", "score", *beside.head]]
    for backbone, some in tables.items():
        for score in SCORES:
            published = known[score][BACKBONES.index(backbone)] if score in known else None
            rows.append([backbone, score, *beside.cells(some, score, published)])
    yield markdown_table(rows)


def table4(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Seen and unseen pathologies: each kind of abnormality as the one among the unlabeled images."""
    beside = Beside(dataset, kept)
    rows = [["unlabeled images", "score", "tested on", *beside.head]]
    for unlabeled, some in tables.items():
        named = unlabeled if unlabeled in ("none", "normal") else f"normal + {unlabeled}"
        score = "a_rec" if unlabeled == "none" else "a_inter"
        for kind in sorted(set(some[0].kinds or ()) - {"", "normal"}):
            tested = kind + (" (seen)" if unlabeled == kind else "")
            rows.append([named, score, tested, *beside.cells([of_kind(table, kind) for table in some], score)])
    yield "*Seen*: some of that kind are among the unlabeled images."
    yield markdown_table(rows)
    yield "Published: VinDr-CXR, five pathologies among the unlabeled images (seen), nine not; AUROC / AP."
    head = ["unlabeled images", "score", "tested on seen", "tested on unseen"]
    yield markdown_table([head, *([name, score, *map(in_percent, pair)] for (name, score), pair in TABLE_4.items())])


def table5(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Ensemble size."""
    beside = Beside(dataset, kept, SEVERAL)
    yield f"Backbone AE. {beside.source}"
    rows = [["K", "score", *beside.head]]
    for i, score in enumerate(("a_intra", "a_inter")):
        for k, published in TABLE_5.items():
            if f"K = {k}" in tables:
                rows.append([str(k), score, *beside.cells(tables[f"K = {k}"], score, published[i])])
    yield markdown_table(rows)


def table6(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Ensembles and Monte Carlo dropout."""
    beside = Beside(dataset, kept, SEVERAL)
    yield (
        f"{beside.source} There ensembles of 3, dropout with 256 passes, rate and place not told; here after every "
        "ReLU, at the rate 0.2 unless another is named above; a pass is one thinned network for all images."
    )
    rows = [["backbone", "score", "networks", *beside.head]]
    for (backbone, score), published in TABLE_6.items():
        for kind, figures in zip(("ensemble", "MC dropout"), published, strict=True):
            if f"{backbone}, {kind}" in tables:
                rows.append([backbone, score, kind, *beside.cells(tables[f"{backbone}, {kind}"], score, figures)])
    yield markdown_table(rows)


def fig6(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Anomaly rate of the unlabeled images."""
    beside = Beside(dataset, kept, SEVERAL)
    yield f"Backbone AE. {beside.source} They are shown as far as the paper's text tells."
    rows = [["score", "anomaly rate", *beside.head]]
    for score, published in FIGURE_6.items():
        for rate, some in tables.items():
            rows.append([score, rate, *beside.cells(some, score, published.get(float(rate)))])
    yield markdown_table(rows)


def fig8(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Histograms of normal and abnormal images: their chi-squared distance."""
    beside = Beside(dataset, None, SEVERAL)
    yield (
        f"Backbone AE. {beside.source} The authors' code adds 0.5 for every empty bin, and so does what is to be "
        "compared with it. In brackets the 95 % interval for the choice of images. Histograms: in the cells' reports."
    )
    forms = ["chi-squared", "as the authors' code"]
    rows = [["score", *forms, *([f"{form}, de-duplicated" for form in forms] if kept else []), *beside.head[3:]]]
    for some in tables.values():
        for score, published in FIGURE_8.items():
            if score in some[0].rows:
                clean = [restrict(table, kept) for table in some] if kept else []
                found = [cell for part in (some, clean) if part for cell in _distances(part, score)]
                difference = [f"{float(found[1]) - published:+.2f}"] if beside.same else []
                rows.append([score, *found, f"{published:.2f}", *difference])
    yield markdown_table(rows)


def fig9(dataset: str, tables: Tables, kept: Kept) -> Iterator[str]:
    """Heat maps."""
    yield (
        "Published: RSNA, backbone AE, with boxes. Each row of maps has one colour scale for all columns. From left to "
        "right: typical normal images, the worst false positives, the worst false negatives, typical abnormal images."
    )


def _distances(some: Sequence[ScoreTable], score: str) -> tuple[str, str]:
    """Return the distance, the mean over seeds and members, with its interval, and as the authors' code has it."""
    labels, rows = some[0].gt_label, np.concatenate([table.rows[score] for table in some])
    assert labels is not None and all(table.image_path == some[0].image_path for table in some)
    figure = image_figures([CHI2], labels, [rows], some[0].patients)[0][CHI2.key]
    official = float(np.mean([chi_squared_distance(labels, row, official=True) for row in rows]))
    return f"{figure.mean:.2f} [{figure.low:.2f}, {figure.high:.2f}]", f"{official:.2f}"


SECTIONS: Mapping[str, tuple[str, Section]] = {
    "table2": ("Table 2: methods", table2),
    "table3": ("Table 3: backbones and scores", table3),
    "table4": ("Table 4: seen and unseen pathologies", table4),
    "table5": ("Table 5: ensemble size", table5),
    "table6": ("Table 6: ensembles and Monte Carlo dropout", table6),
    "fig6": ("Figure 6: anomaly rate of the unlabeled images", fig6),
    "fig8": ("Figure 8: histograms of scores", fig8),
    "fig9": ("Figure 9: heat maps", fig9),
}
