"""Pages of the paper's experiments: printed anew from what ``medad reproduce`` wrote, or from the stored runs."""

import tempfile
from pathlib import Path

from medad.experiments import controls
from medad.experiments.deduplicated import deduplicated
from medad.experiments.grid.results import import_scores
from medad.experiments.reproduce.document import OURS, Facts, document
from medad.experiments.reproduce.reproduce import carry_out
from medad.workflows.options import TrainOptions

FOLDER = "reproduce"  # below the stored results: NAME.csv and NAME.yaml
SEEDS = (0, 1, 2)


def from_scores(name: str, results: Path) -> str:
    """Return the page of one experiment, from the ``NAME.csv`` and ``NAME.yaml`` below `results`.

    Raises
    ------
    UserError
        If one of these files is missing or is something else.
    """
    folder = results / FOLDER
    facts = Facts.read(folder / f"{name}.yaml")
    tables = import_scores(folder / f"{name}.csv")
    kept = deduplicated(facts.dataset, results)
    return document(name, facts, tables, kept, controls.section(facts.dataset, results, OURS), again=True)


def from_runs(name: str, results: Path, data: Path) -> str:
    """Return the page of one experiment, from stored runs of preset paper on the data set in `data`.

    The images are looked at: a run counts if it learned from these and was tested on these.

    Raises
    ------
    UserError
        If no such run is stored.
    """
    with tempfile.TemporaryDirectory(prefix="medad-") as work:
        return carry_out(
            name, data, Path(work), TrainOptions(preset="paper"), seeds=SEEDS, stored=results, train=False
        )[0]
