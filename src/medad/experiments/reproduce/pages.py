"""What each experiment says: our figures beside the published ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from medad.evaluation.comparison import Figure, Tables, compare
from medad.evaluation.metrics import chi_squared_distance
from medad.evaluation.scores import ScoreTable
from medad.experiments.paper import (
    BACKBONES,
    FIGURE_6,
    FIGURE_8,
    SCORES,
    SETS,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_6,
)
from medad.reports.markdown import markdown_table

Pair = tuple[float, float]
Page = Callable[[str, Tables], Iterator[str]]
BESIDE = ["AUROC", "AP", "seeds", "published", "difference"]


def _beside(some: Sequence[ScoreTable], score: str, published: float | Pair | None) -> list[str]:
    """Return our AUROC and AP, the published figures, and ours minus those; empty where there is no such score."""
    rows = compare({"": some}, score)
    if not rows:
        return ["", "", "", _published(published), ""]
    ours = (rows[0].auroc, rows[0].ap)
    return [
        *(figure.in_percent() for figure in ours),
        str(len(some)),
        _published(published),
        _difference(ours, published),
    ]


def _published(figures: float | Pair | None) -> str:
    return " / ".join(f"{x:.1f}" for x in np.atleast_1d(figures)) if figures is not None else ""


def _difference(ours: Sequence[Figure], published: float | Pair | None) -> str:
    if published is None:
        return ""
    return " / ".join(f"{100 * o.mean - p:+.1f}" for o, p in zip(ours, np.atleast_1d(published), strict=False))


def _table(rows: list[list[str]]) -> str:
    return markdown_table(rows)


def _source(dataset: str, metrics: str) -> str:
    if dataset in SETS:
        return f"Published: {metrics} on {dataset}."
    return f"Published on {', '.join(SETS)}, not on {dataset}."


def table2(dataset: str, tables: Tables) -> Iterator[str]:
    """Methods, and DDAD's refined scores by backbone."""
    known = TABLE_2.get(dataset, {})
    rows = [["method", *BESIDE]]
    for label, some in tables.items():
        method = label.removesuffix(" alone")
        if method != label:
            rows.append([method, *_beside(some, "pred_score", known.get(method))])
        else:
            scores = ("r_intra", "r_dual")
            rows += [[f"DDAD, {s}, {label}", *_beside(some, s, known.get(f"{s}, {label}"))] for s in scores]
    yield _source(dataset, "AUROC / AP")
    yield _table(rows)


def table3(dataset: str, tables: Tables) -> Iterator[str]:
    """Backbones and scores."""
    known = TABLE_3.get(dataset, {})
    yield _source(dataset, "AUROC")
    rows = [["backbone", "score", *BESIDE]]
    for backbone, some in tables.items():
        for score in SCORES:
            published = known[score][BACKBONES.index(backbone)] if score in known else None
            rows.append([backbone, score, *_beside(some, score, published)])
    yield _table(rows)


def table4(dataset: str, tables: Tables) -> Iterator[str]:
    """Seen and unseen pathologies: each kind of abnormality as the one among the unlabeled images."""
    rows = [["unlabeled images", "score", "tested on", *BESIDE[:3]]]
    for unlabeled, some in tables.items():
        named = unlabeled if unlabeled in ("none", "normal") else f"normal + {unlabeled}"
        score = "a_rec" if unlabeled == "none" else "a_inter"
        for kind in sorted(set(some[0].kinds or ()) - {"", "normal"}):
            tested = kind + (" (seen)" if unlabeled == kind else "")
            rows.append([named, score, tested, *_beside([_only(table, kind) for table in some], score, None)[:3]])
    yield "*Seen*: some of that kind are among the unlabeled images."
    yield _table(rows)
    yield "Published: VinDr-CXR, five pathologies among the unlabeled images (seen), nine not; AUROC / AP."
    head = ["unlabeled images", "score", "tested on seen", "tested on unseen"]
    yield _table([head, *([name, score, *map(_published, pair)] for (name, score), pair in TABLE_4.items())])


def _only(table: ScoreTable, kind: str) -> ScoreTable:
    assert table.gt_label is not None and table.kinds is not None
    return table.subset(np.flatnonzero((table.gt_label == 0) | (np.array(table.kinds) == kind)))


def table5(dataset: str, tables: Tables) -> Iterator[str]:
    """Ensemble size."""
    yield "Published: RSNA, backbone AE."
    rows = [["K", "score", *BESIDE]]
    for i, score in enumerate(("a_intra", "a_inter")):
        for k, published in TABLE_5.items():
            if f"K = {k}" in tables:
                rows.append([str(k), score, *_beside(tables[f"K = {k}"], score, published[i])])
    yield _table(rows)


def table6(dataset: str, tables: Tables) -> Iterator[str]:
    """Ensembles and Monte Carlo dropout."""
    yield (
        "Published: RSNA; ensembles of 3, dropout with 256 passes, rate and place not told. Here after every ReLU, at "
        "the rate 0.2 unless another is named above; a pass is one thinned network for all images."
    )
    rows = [["backbone", "score", "networks", *BESIDE]]
    for (backbone, score), published in TABLE_6.items():
        for kind, figures in zip(("ensemble", "MC dropout"), published, strict=True):
            if f"{backbone}, {kind}" in tables:
                rows.append([backbone, score, kind, *_beside(tables[f"{backbone}, {kind}"], score, figures)])
    yield _table(rows)


def fig6(dataset: str, tables: Tables) -> Iterator[str]:
    """Anomaly rate of the unlabeled images."""
    yield "Published: RSNA, backbone AE, as far as the paper's text tells."
    rows = [["score", "anomaly rate", *BESIDE]]
    for score, published in FIGURE_6.items():
        for rate, some in tables.items():
            rows.append([score, rate, *_beside(some, score, published.get(float(rate)))])
    yield _table(rows)


def fig8(dataset: str, tables: Tables) -> Iterator[str]:
    """Histograms of normal and abnormal images: their chi-squared distance."""
    yield (
        "Published: RSNA, backbone AE. The authors' code adds 0.5 for every empty bin, and so does what is compared "
        "with it. Histograms are in the cells' reports."
    )
    rows = [["score", "chi-squared", "as the authors' code", "published", "difference"]]
    for some in tables.values():
        for score, published in FIGURE_8.items():
            if score in some[0].rows:
                ours, official = (_distance(some, score, form) for form in (False, True))
                cells = f"{ours:.2f}", f"{official:.2f}", f"{published:.2f}", f"{official - published:+.2f}"
                rows.append([score, *cells])
    yield _table(rows)


def fig9(dataset: str, tables: Tables) -> Iterator[str]:
    """Heat maps."""
    yield (
        "Published: RSNA, backbone AE, with boxes. Each row of maps has one colour scale for all columns. From left to "
        "right: typical normal images, the worst false positives, the worst false negatives, typical abnormal images."
    )


def _distance(some: Sequence[ScoreTable], score: str, official: bool) -> float:
    """Return the mean over seeds and members."""
    found = []
    for table in some:
        assert table.gt_label is not None
        found += [chi_squared_distance(table.gt_label, row, official=official) for row in table.rows[score]]
    return float(np.mean(found))


PAGES: Mapping[str, tuple[str, Page]] = {
    "table2": ("Table 2: methods", table2),
    "table3": ("Table 3: backbones and scores", table3),
    "table4": ("Table 4: seen and unseen pathologies", table4),
    "table5": ("Table 5: ensemble size", table5),
    "table6": ("Table 6: ensembles and Monte Carlo dropout", table6),
    "fig6": ("Figure 6: anomaly rate of the unlabeled images", fig6),
    "fig8": ("Figure 8: histograms of scores", fig8),
    "fig9": ("Figure 9: heat maps", fig9),
}
