"""Measure everything and print the tables.

``python -m benchmarks.run`` also writes ``benchmarks/results/MACHINE.json``; ``--quick`` is a look of
at most three minutes and writes nothing unless told to with ``--out``. Leave the machine alone meanwhile.
"""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.compose import Protocol
from benchmarks.machine import describe
from benchmarks.peak import flops, peaks
from benchmarks.pieces import OurPieces, ReferencePieces
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.report import PRECISIONS, shares, summarise
from benchmarks.scaling import scaling
from benchmarks.tables import BUSY, headline, tables
from benchmarks.timing import interleave, say

RESULTS = Path(__file__).parent / "results"


def measure(plan: Plan) -> dict[str, Any]:
    """Return a whole result."""
    machine = describe()
    if machine["load"] > BUSY:
        say(f"other processes keep {machine['load']} cores busy: ratios will not be those of an idle machine")
    say("arithmetic peak")
    peak, needed = peaks(machine["cores"], plan.peak_seconds), flops()
    with TemporaryDirectory(prefix="medad-bench-") as folder:
        found = compare(plan, Path(folder)) | {"scaling": scaling(plan, Path(folder))}
    rates = [*found["rates"].values(), *({"training": row["training"]} for row in found["scaling"])]
    if min(rate for row in rates for rate in row.values()) <= 0:
        raise SystemExit("a longer run took less time than a shorter one: the machine is busy; measure when it is idle")
    best = {precision: row["best"] for precision, row in peak.items()}
    found |= {"peak": peak, "flops": needed, "flop_share": shares(found["rates"], needed, best)}
    return {"machine": machine, "quick": plan is QUICK, "rounds": plan.rounds} | found


def compare(plan: Plan, folder: Path) -> dict[str, Any]:
    """Time the reference and medad in turns; return the sections with their ratios."""
    protocol, ours = Protocol(), []
    for precision in PRECISIONS:
        own = folder / precision
        own.mkdir()
        ours.append(OurPieces(precision, own, plan, protocol))
    pieces = ReferencePieces(plan, protocol).pieces() + [piece for each in ours for piece in each.pieces()]
    interleave(pieces, plan.rounds)
    return summarise(pieces, ours[0].processes, protocol)


def main() -> None:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look of at most three minutes")
    parser.add_argument("--out", type=Path, help="file to write; by default results/MACHINE.json, with --quick none")
    a = parser.parse_args()
    result = measure(QUICK if a.quick else FULL)
    print(f"{headline(result)}\n\n{tables(result)}")
    out = a.out or (None if a.quick else RESULTS / f"{result['machine']['slug']}.json")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        say(f"written: {out}")


if __name__ == "__main__":
    main()
