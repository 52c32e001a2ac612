"""The fidelity ledger: every method, what differs from its paper, and its published figure beside ours.

It comes from the registry and the stored scores.
"""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medad.detectors.registry import METHODS, MethodInfo
from medad.evaluation.verdict import RULE
from medad.experiments import controls
from medad.experiments.deduplicated import MEANING as CLEAN
from medad.experiments.deduplicated import Kept, deduplicated
from medad.experiments.figures import WRITTEN, figures, head
from medad.experiments.pages.verdict import NOT_JUDGED, tried_afterwards, verdict, why_not
from medad.experiments.paper import BACKBONES, LATENT_16, TABLE_2
from medad.experiments.reproduce.ocssl.rows import ROWS
from medad.experiments.stored import RESULTS, Result, stored
from medad.experiments.synthetic_rows import METHODS as SYNTHETIC
from medad.networks import autoencoder
from medad.reports.markdown import markdown_table
from medad.workflows.options import TrainOptions

DATASET = "brain_tumor"
COSTS = Path("benchmarks/results/methods")
SHORTER = ("standard", "quick")
INTRODUCTION = f"""\
# Methods and their fidelity

Printed by `medad results methods` from the registry and the scores stored in `docs/results/{DATASET}/`. \
Published figures are those of Cai et al. (Medical Image Analysis 2023, Table 2, brain tumour MRI), of VAE and CeAE \
those of Cai et al. (MICCAI 2024), AUROC / AP in %; ours are of preset paper, {WRITTEN}. \
{RULE} {NOT_JUDGED} A method of which no run of its own is stored stands with \
the networks of DDAD that are trained alike (`a_rec`, the mean over them). {CLEAN} \
Other options are in [results](results/{DATASET}_methods.md)."""


ELSEWHERE = {
    "[what unlabeled images are worth](results/ocssl.md)": {row.method for row in ROWS},
    "[methods that learn from synthetic anomalies](results/synthetic.md)": SYNTHETIC,
}


@dataclass(frozen=True)
class Known:
    """The stored runs, which test images are no duplicates, and what was tried after the figures had been seen."""

    runs: list[Result]
    kept: Kept
    afterwards: list[TrainOptions]

    def chosen(self, method: str, backbone: str | None = None) -> list[Result]:
        """Return the runs of a method that say most: judged ones with the fewest other options, in fp32."""
        found = [run for run in self.runs if run.run["method"] == method and run.run["config"]["preset"] == "paper"]
        found = [run for run in found if backbone in (None, run.run["options"].get("backbone"))]
        found.sort(key=lambda run: (self.why_not(run) != "", len(run.run["config"]["options"]), run.method))
        return [run for run in found if run.method == found[0].method]

    def why_not(self, run: Result) -> str:
        """Return why a run is not judged, empty if it is."""
        return why_not(run, self.afterwards)


def ledger(results: Path = RESULTS, costs: Path = COSTS) -> str:
    """Return the page, from stored scores and from what ``python -m benchmarks.methods`` measured."""
    runs = list(stored(DATASET, results)) if (results / DATASET).exists() else []
    known = Known(runs, deduplicated(DATASET, results), tried_afterwards(DATASET, results))
    rows = [["method", "score, run", "published", *head(known.kept), "seeds", "verdict"]]
    rows += [row for info in METHODS.values() for row in _rows(info, known)]
    sections = [_section(info) for info in METHODS.values()]
    tables = [*controls.section(DATASET, results, "Our figures"), markdown_table(rows), *_costs(costs)]
    return "\n\n".join([INTRODUCTION, *tables, *_in_common(), *sections]) + "\n"


def _in_common() -> Iterator[str]:
    """Yield what all methods on the same networks differ in from their papers, as the networks' module says it."""
    yield "## All methods on DDAD's autoencoders"
    yield " ".join((inspect.getdoc(autoencoder) or "").split("\n\n")[1].split())


def _costs(folder: Path) -> Iterator[str]:
    """Yield a heading and a table for every machine on which training was measured."""
    for file in sorted(folder.glob("*.json")):
        document = json.loads(file.read_text(encoding="utf-8"))
        machine = document["machine"]
        yield f"## What the presets cost on {machine['cpu']}, {machine['cores']} cores"
        yield (
            f"Steps of every phase were timed by `python -m benchmarks.methods`, last on {machine['date']}, with fp32, "
            f"{document['images']} normal (and, if used, as many unlabeled) images, as large as the preset has them, "
            f"and torch {machine['torch']}; times are composed from them: phases that do not wait for each other share "
            "the cores. Steps are those of preset paper; an empty cell: not measured. Nothing has been measured on a "
            "GPU."
        )
        rows = [["method", "paper, hours", "steps", "seconds a step", *(f"{preset}, minutes" for preset in SHORTER)]]
        for name, cost in document["methods"].items():
            phases = cost["phases"]
            steps = " + ".join(f"{phase['steps']:,}" for phase in phases)
            seconds = " + ".join(f"{phase['step_seconds']:.3f}" for phase in phases)
            shorter = [f"{cost[key]:.1f}" if key in cost else "" for key in (f"{p}_minutes" for p in SHORTER)]
            rows.append([name, f"{cost['hours']:.2f}", steps, seconds, *shorter])
        yield markdown_table(rows)


def _rows(info: MethodInfo, known: Known) -> Iterator[list[str]]:
    if info.name == "ddad":
        for backbone in BACKBONES:
            for score in ("r_intra", "r_dual"):
                yield _row(info.name, score, f"{score}, {backbone}", known.chosen("ddad", backbone), known)
    elif own := known.chosen(info.name):
        yield _row(info.name, "pred_score", info.name, own, known)
    else:
        yield _row(info.name, "a_rec", info.name, known.chosen("ddad", info.name), known)


def _row(method: str, score: str, published_as: str, runs: list[Result], known: Known) -> list[str]:
    """Return the line of a figure."""
    published = TABLE_2[DATASET].get(published_as) or LATENT_16[DATASET].get(published_as)
    beside = "" if published is None else " / ".join("–" if f is None else f"{f:.1f}" for f in published)
    tables = [run.scores for run in runs]
    if not tables or score not in tables[0].rows:
        return [
            method,
            published_as,
            beside,
            *[""] * (1 + len(head(known.kept))),
            next((f"see {page}" for page, methods in ELSEWHERE.items() if method in methods), "no data"),
        ]
    found = figures(tables, score, known.kept)
    judged = verdict(found[0], published[0] if published else None, known.why_not(runs[0]))
    told = [figure.in_percent() for figure in found]
    return [method, f"{score}, {runs[0].method}", beside, *told, str(len(tables)), judged]


def _section(info: MethodInfo) -> str:
    """Return a method's paper, what it learns from, and the paragraph on what differs from the paper."""
    described = inspect.getdoc(info.load()) or ""
    first = described.splitlines()[0]
    differs = re.search(r"Differs from the paper: (.+?)(?:\n\n|\Z)", described, re.DOTALL)
    facts = ["gives maps" if info.maps else "gives no maps", "learns from unlabeled images, too"][
        : 1 + info.uses_unlabeled
    ]
    lines = [f"## {info.name}", f"{first} *{info.family}*; {', '.join(facts)}. {info.paper}."]
    if differs:
        lines.append(f"Differs from the paper: {' '.join(differs[1].split())}")
    return "\n\n".join(lines)
