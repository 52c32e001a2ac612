"""Damage files, read them, and print what became of them.

``python -m benchmarks.fuzz`` writes ``benchmarks/results/robust/fuzz.json`` and the table in ``docs/reliability.md``.
``--only CASE`` makes a single case again, says what becomes of it, and with ``--keep FILE`` keeps it.
"""

import argparse
import datetime
import json
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.fuzz.hostile import HOSTILE
from benchmarks.fuzz.look import CRASH, HANG, IMAGE, REFUSED, Outcome
from benchmarks.fuzz.pool import HOSTILE_FAMILY, make, read_all
from benchmarks.fuzz.sources import FAMILIES
from benchmarks.machine import describe
from benchmarks.reliability import PAGE, RESULTS, put
from benchmarks.timing import say
from medad.cores import cores
from medad.reports.markdown import markdown_table

COUNT, SEED, SECONDS = 12_000, 18, 5.0
MEMORY = 1 << 30  # bytes that reading one file may take
SHOWN = 20  # troubles
MADE_BY = ("pydicom", "nibabel", "pillow", "numpy")


def summarise(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """Count what became of the files, family by family."""
    rows = []
    for family in (*FAMILIES, HOSTILE_FAMILY):
        own = [one for one in outcomes if one.family == family]
        counts = {what: sum(one.what == what for one in own) for what in (IMAGE, REFUSED, CRASH, HANG)}
        above = sum(one.memory > MEMORY for one in own)
        slowest, largest = max((one.seconds for one in own), default=0.0), max((one.memory for one in own), default=0)
        rows.append({"family": family, "files": len(own), **counts, "above": above, "s": slowest, "bytes": largest})
    return rows


def table(result: dict[str, Any]) -> str:
    """Return the table of a result with the sentence above it."""
    made = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    machine = f"{result['cpu']}, {result['cores']} cores, {result['date']}"
    names = ("family", "files", "read", "refused", "crashes", f"over {SECONDS:g} s", "over 1 GiB")
    rows = [[*names, "slowest, s", "largest memory, MiB"]]
    for r in result["rows"]:
        counts = (r[key] for key in ("files", IMAGE, REFUSED, CRASH, HANG, "above"))
        rows.append([r["family"], *(f"{n:,}" for n in counts), f"{r['s']:.2f}", f"{r['bytes'] / 2**20:.0f}"])
    sums = [f"{sum(r[key] for r in result['rows']):,}" for key in ("files", IMAGE, REFUSED, CRASH, HANG, "above")]
    worst = (f"{max(r['s'] for r in result['rows']):.2f}", f"{max(r['bytes'] for r in result['rows']) / 2**20:.0f}")
    rows.append(["all", *sums, *worst])
    how = (
        f"Printed by `python -m benchmarks.fuzz --count {result['count']} --seed {result['seed']}`: {made}; {machine}."
    )
    return f"{how}\n\n{markdown_table(rows)}"


def troubles(outcomes: list[Outcome]) -> list[Outcome]:
    """Return the files that did not become an image or one clean error, in time and in memory."""
    return [one for one in outcomes if one.what in (CRASH, HANG) or one.memory > MEMORY]


def main() -> int:
    """Run, print, and write the file and the page; the exit status is 1 if there was any trouble."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="number of mutations, beside the hostile files")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=cores())
    parser.add_argument("--seconds", type=float, default=SECONDS, help="after which a file hangs")
    parser.add_argument("--only", help="one case: the number of a mutation or the name of a hostile file")
    parser.add_argument("--keep", type=Path, help="where the file of --only goes")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    a = parser.parse_args()
    if a.only and a.keep:
        with tempfile.TemporaryDirectory() as folder:
            shutil.move(make(a.only, a.seed, Path(folder) / "case")[1], a.keep)
    cases = [a.only] if a.only else [*HOSTILE, *map(str, range(a.count))]
    outcomes = []
    for outcome in read_all(cases, a.seed, 1 if a.only else a.jobs, a.seconds):
        outcomes.append(outcome)
        if a.only or outcome in troubles([outcome]):
            say(f"{outcome.case} ({outcome.name}): {outcome.what}, {outcome.seconds:.2f} s, {outcome.memory >> 20} MiB")
            say(outcome.why)
        if len(outcomes) % 1000 == 0:
            say(f"{len(outcomes)} of {len(cases)}")
    machine = {key: value for key, value in describe().items() if key in ("cpu", "cores")}
    result = {"count": a.count, "seed": a.seed, "rows": summarise(outcomes), **machine}
    result |= {"date": datetime.date.today().isoformat(), "versions": {name: version(name) for name in MADE_BY}}
    print(table(result))
    if not (a.only or a.dry):
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "fuzz.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        put(PAGE, "fuzz", table(result))
    return 1 if troubles(outcomes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
