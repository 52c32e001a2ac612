"""Pages of experiments printed anew, from the ``NAME.csv`` and ``NAME.yaml`` that ``medad reproduce`` wrote.

``python -m medad.experiments.reproduce.reprint`` writes all of ``docs/results/reproduce/`` that have both.
"""

import argparse
from pathlib import Path

from medad.experiments import blind
from medad.experiments.command import existing, run_command, write_page
from medad.experiments.deduplicated import deduplicated
from medad.experiments.grid.results import import_scores
from medad.experiments.reproduce.document import OURS, Facts, document
from medad.experiments.store import RESULTS

FOLDER = "reproduce"


def reprint(name: str, results: Path) -> Path:
    """Print the page of one experiment below `results` anew and return it.

    Raises
    ------
    UserError
        If one of its files is missing or is something else.
    """
    folder = results / FOLDER
    facts = Facts.read(folder / f"{name}.yaml")
    tables = import_scores(folder / f"{name}.csv")
    kept = deduplicated(facts.dataset, results)
    text = document(name, facts, tables, kept, blind.section(facts.dataset, results, OURS), again=True)
    write_page(folder / f"{name}.md", text)
    return folder / f"{name}.md"


def main() -> None:
    """Print all pages."""
    parser = argparse.ArgumentParser(prog="python -m medad.experiments.reproduce.reprint", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    results = existing(parser.parse_args().results)
    for file in sorted((results / FOLDER).glob("*.yaml")):
        print(reprint(file.stem, results))


if __name__ == "__main__":
    run_command(main)
