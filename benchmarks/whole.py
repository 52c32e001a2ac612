"""The whole protocol, start to end, on one device: ``python -m benchmarks.whole --device cuda --precision tf32``.

Nothing is composed: networks of both modules and both ASR-Nets are trained and the test images scored, with the
sizes of brain_tumor. Writes ``benchmarks/results/whole/DEVICE-PRECISION.json``, which the page shows.
"""

import argparse
import datetime
import json
import time
from typing import Any

from benchmarks.compose import Protocol
from benchmarks.images import make_pixels, make_set
from benchmarks.machine import slug
from benchmarks.run import RESULTS
from medad.detectors.registry import make_detector
from medad.workflows.provenance import versions

WHOLE = RESULTS / "whole"


def measure(device: str, precision: str, preset: str = "paper", p: Protocol | None = None) -> dict[str, Any]:
    """Train DDAD (AE-U) on made-up images, score others, and return the seconds that each took."""
    p = p or Protocol()
    sets = [make_set(make_pixels(n, 64, seed)) for seed, n in enumerate((p.normal, p.unlabeled, p.test))]
    begin = time.perf_counter()
    detector = make_detector("ddad", preset, precision=precision, device=device)
    detector.fit(sets[0], sets[1])
    trained = time.perf_counter()
    for _ in detector.predict(sets[2]):
        pass
    end = time.perf_counter()
    found = {"precision": precision, "training_s": trained - begin, "scoring_s": end - trained}
    return found | versions(detector.device) | {"jobs": detector.jobs, "date": datetime.date.today().isoformat()}


def slug_of(result: dict[str, Any]) -> str:
    """Return a short name of the device and the precision."""
    return f"{slug(result.get('gpu', result['cpu']), result['jobs'])}-{result['precision']}"


def main() -> None:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole", description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="fp32")
    a = parser.parse_args()
    result = measure(a.device, a.precision)
    text = json.dumps(result, indent=1)
    print(text)
    WHOLE.mkdir(parents=True, exist_ok=True)
    (WHOLE / f"{slug_of(result)}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
