"""The page of DDAD in preset standard beside preset paper, printed from stored scores."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.printed import printed_by
from medad.experiments.stored import Result, machines
from medad.experiments.studies.preset_rows import HEAD, PAPER, SCORES, STANDARD, auroc_of, aurocs, rows_of, runs_of
from medad.experiments.studies.steady.ensembles import DATASETS
from medad.reports.markdown import markdown_table

STORED = f"*/{STANDARD}/seed*"
# What was asked of preset standard before it was made: AUROC in %, and the standard deviation over seeds.
AIMS = {"brain_tumor": 97.0, "pediatric_cxr": 85.0, "phantom_plain": 75.0}
STEADY = {"brain_tumor": 1.0}
BEHIND = 0.5  # at most, of the better of A_inter and A_rec
OTHERS = ("a_inter", "a_rec_ensemble")

Runs = Mapping[str, Sequence[Result]]


def page(results: Path) -> str:
    """Return the page in Markdown."""
    found = {name: runs_of(name, results) for name in DATASETS}
    every = [result.run for runs in found.values() for some in runs.values() for result in some]
    parts = [
        "# DDAD that one can rely on",
        f"{printed_by('medad results ddad_standard')} from the scores stored in `docs/results/DATASET/ddad-aeu*`, "
        f"which `python -m medad.experiments.studies.presets` made. Machine: {machines(every)}.",
        "AUROC of test images in %, mean over seeds ± standard deviation; behind the slash the figure on the "
        f"de-duplicated test images, where there are any. {CLEAN} *Reported*: what the preset gives as its score, in "
        "`paper` R_dual; in `standard` the score that tells unlabeled from normal images best, each scored by networks "
        "that had not learned from it, or its mean with all that are as good up to one standard error. *Control*: the "
        "best of what sees no pathology. *Minutes*: of training. [What is different](../ddad.md) in `standard`; "
        "[what was tried](steady.md).",
        markdown_table([HEAD, *(row for name in DATASETS for row in rows_of(name, found[name], results))]),
        "## Aims",
        f"Set before: reported at most {BEHIND} below A_inter and A_rec of the same networks on every set, and what "
        "*aim* says. Beside it, what is reported less A_inter and A_rec of preset paper, where these are stored. "
        "All was decided by AUC_u, while of seed 0 and, when it came to several scores that are as good, of seed 1 on "
        "brain_tumor the test figures had been seen, of other seeds none.",
        markdown_table([[*_aim_head()], *(_aimed(name, runs) for name, runs in found.items() if STANDARD in runs)]),
        "## Single trainings",
        markdown_table([["data", "seed", "reported", "AUC_u", "AUC_u of the best alone", "AUROC"], *_single(found)]),
    ]
    return "\n\n".join(parts) + "\n"


def _aim_head() -> list[str]:
    paper = [f"{name}, paper" for name in ("less A_inter", "less A_rec")]
    return ["data", "reported", "less A_inter", "less A_rec", *paper, "sd", "aim", "reached"]


def _aimed(dataset: str, runs: Runs) -> list[str]:
    """Return the row of a data set among the aims."""
    reported = aurocs(runs[STANDARD], "pred_score")
    deviation = reported.std(ddof=1) if len(reported) > 1 else None
    less = [reported.mean() - aurocs(runs[STANDARD], other).mean() for other in OTHERS]
    paper = next((runs[name] for name in PAPER if name in runs), None)
    beside = ["" if paper is None else f"{reported.mean() - aurocs(paper, other).mean():+.1f}" for other in OTHERS]
    aim, steady = AIMS.get(dataset), STEADY.get(dataset)
    asked = [*([] if aim is None else [f"{aim:.0f}"]), *([] if steady is None else [f"sd {steady:.1f}"])]
    reached = [min(less) >= -BEHIND, aim is None or reported.mean() >= aim]
    reached += [steady is None or (deviation is not None and deviation <= steady)]
    told = [f"{reported.mean():.1f}", *(f"{value:+.1f}" for value in less), *beside]
    spread = "" if deviation is None else f"{deviation:.1f}"
    return [dataset, *told, spread, ", ".join(asked), "yes" if all(reached) else "no"]


def _single(found: Mapping[str, Runs]) -> Iterator[list[str]]:
    """Yield a row for each training: which score it chose, and how good that is."""
    for result in (result for runs in found.values() for result in runs.get(STANDARD, ())):
        choice = result.run.get("choice") or {"chosen": "a_rec_ensemble", "judged": {}}
        auc_u = {name: one["auc_u"] for name, one in choice["judged"].items()}
        told = [auc_u.get(choice["chosen"]), max((auc_u[name] for name in auc_u if name in SCORES), default=None)]
        figures = ["" if value is None else f"{100 * value:.1f}" for value in told]
        figures += [f"{auroc_of(result.scores, 'pred_score'):.1f}"]
        yield [result.run["data"]["name"], str(result.run["seed"]), choice["chosen"], *figures]
