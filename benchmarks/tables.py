"""The tables of a result, in Markdown, for the terminal and for the page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from medad.reports.markdown import markdown_table

WHAT = {"member_step": "training AE networks", "refine_step": "training ASR-Net", "scoring": "scoring, 6 AE + ASR-Net"}
WHO = ("reference", "fp32", "bf16")
BUSY = 0.2  # cores; from there on the ratios are not to be trusted


def tables(result: Mapping[str, Any]) -> str:
    """Return all tables of a result, each under its title."""
    parts = [
        ("Ratios: time of the reference divided by ours", _ratios(result)),
        ("Time of the whole protocol, minutes", _minutes(result)),
        ("Images per second, all cores", _rates(result)),
        ("Share of the arithmetic peak", _shares(result)),
        ("Arithmetic peak of all cores, 10^9 operations per second", _peaks(result)),
        ("Numbers and sizes of images: one AE, fp32, images per second", _scaling(result)),
        ("What was timed", _pieces(result)),
    ]
    return "\n\n".join(f"### {title}\n\n" + markdown_table(list(rows)) for title, rows in parts)


def headline(result: Mapping[str, Any]) -> str:
    """Return on what and when it was measured."""
    m = result["machine"]
    model = f"{m['cpu']} (family {m['cpu_family']}, model {m['cpu_model']})" if m["cpu_family"] else m["cpu"]
    flags = ", ".join(m["flags"]) or "none of the instructions that matter here"
    versions = f"torch {m['torch']}, Python {m['python']}, medad {m['medad']}"
    quick = "; a quick look, not for quoting" if result["quick"] else ""
    load = f"; **other processes kept {m['load']} cores busy**" if m["load"] > BUSY else ""
    return f"{model}, {m['cores']} cores; {flags}; {versions}; {m['date']}; {result['rounds']} rounds{quick}{load}"


def whole(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of whole protocols, one row per device and precision."""
    rows = [["device", "precision", "training, s", "scoring, s", "together, s", "date"]]
    for r in results:
        device = r.get("gpu") or f"{r['cpu']}, {r['jobs']} cores"
        seconds = (r["training_s"], r["scoring_s"], r["training_s"] + r["scoring_s"])
        rows.append([device, r["precision"], *(f"{s:.1f}" for s in seconds), r["date"]])
    return markdown_table(rows)


def _ratios(result: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["", "fp32", "bf16"]
    rows = {
        "protocol, with the reference's tests": ("protocol", ""),
        "protocol, without tests": ("protocol", "_without_tests"),
        "protocol, equal tests": ("protocol", "_equal_tests"),
        "scoring": ("scoring", ""),
    }
    for title, (section, suffix) in rows.items():
        yield [title, *(_ratio(result[section], f"ratio_{precision}{suffix}") for precision in WHO[1:])]


def _ratio(section: Mapping[str, Any], name: str) -> str:
    low, high = section["range"][name]
    return f"{section[name]:.2f} ({low:.2f}–{high:.2f})"


def _minutes(result: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["", *WHO]
    seconds = result["protocol"]["seconds"]
    for title, suffix in (
        ("with tests", ""),
        ("without tests", "_without_tests"),
        ("equal tests", "_equal_tests"),
    ):
        yield [title, *(f"{seconds[who + suffix] / 60:.1f}" for who in WHO)]


def _rates(result: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["", *WHO]
    for what, row in result["rates"].items():
        yield [WHAT[what], *(f"{row[who]:.0f}" for who in WHO)]


def _shares(result: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["", "10^6 operations per image", *WHO]
    for what, row in result["flop_share"].items():
        yield [WHAT[what], f"{result['flops'][what] / 1e6:.0f}", *(f"{row[who]:.0%}" for who in WHO)]


def _peaks(result: Mapping[str, Any]) -> Iterator[list[str]]:
    kernels = [name for name in result["peak"]["fp32"] if name != "best"]
    yield ["", *kernels, "best"]
    for precision, row in result["peak"].items():
        yield [precision, *(f"{row[name] / 1e9:.0f}" for name in (*kernels, "best"))]


def _scaling(result: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["images", "size", "start of training, s", "training, one thread", "scoring, all cores"]
    for row in result["scaling"]:
        numbers = [f"{row['images']:,}", str(row["size"]), f"{row['training_start_s']:.2f}"]
        yield [*numbers, f"{row['training']:.0f}", f"{row['scoring']:.0f}"]


def _pieces(result: Mapping[str, Any]) -> Iterator[list[str]]:
    yield ["piece", "units", "seconds of each round"]
    for name, piece in result["pieces"].items():
        yield [name, str(piece["units"]), ", ".join(f"{s:.2f}" for s in piece["seconds"])]
