"""Tables and page from made-up figures."""

import copy
import json

import pytest

from benchmarks.compose import Protocol
from benchmarks.machine import describe, slug
from benchmarks.page import page
from benchmarks.report import shares, summarise
from benchmarks.tables import tables
from benchmarks.timing import Piece, interleave
from benchmarks.whole import measure, slug_of

SECONDS = {
    "reference/ndm_epoch": (1, 3.0),
    "reference/udm_epoch": (1, 6.2),
    "reference/refine_step": (10, 2.0),
    "reference/member_image": (100, 1.0),
    "reference/scored_image": (100, 2.0),
    "fp32/members/10": (10, 2.0),
    "fp32/members/20": (20, 3.0),
    "fp32/refiner/10": (10, 2.0),
    "fp32/refiner/20": (20, 2.5),
    "fp32/checkpoint": (1, 0.2),
    "fp32/scoring": (100, 0.5),
    "bf16/members/10": (10, 1.5),
    "bf16/members/20": (20, 2.0),
    "bf16/refiner/10": (10, 1.5),
    "bf16/refiner/20": (20, 1.75),
    "bf16/checkpoint": (1, 0.2),
    "bf16/scoring": (100, 0.25),
}


@pytest.fixture
def result():
    """Return a result of three rounds, the second twice as slow for all, the third 10 % faster for the reference."""
    pieces = []
    for name, (units, seconds) in SECONDS.items():
        third = 0.9 if name.startswith("reference") else 1
        pieces.append(Piece(name, lambda: None, units, [seconds, 2 * seconds, third * seconds]))
    found = summarise(pieces, 2, Protocol())
    peak = {"fp32": {"GEMM 512": 1e11, "best": 1e11}, "bf16": {"GEMM 512": 4e11, "best": 4e11}}
    flops = {"member_step": 1e8, "refine_step": 4e9, "scoring": 1.5e9}
    share = shares(found["rates"], flops, {name: row["best"] for name, row in peak.items()})
    scaling = [{"images": 1000, "size": 64, "training_start_s": 0.5, "training": 700.0, "scoring": 2000.0}]
    found |= {"peak": peak, "flops": flops, "flop_share": share, "scaling": scaling}
    machine = describe() | {"cpu": "Made-up", "cpu_family": "1", "cpu_model": "2", "flags": ["avx2"], "load": 0.1}
    return {"machine": machine, "quick": False, "rounds": 3} | found


def test_ratios_are_of_medians_with_their_range(result):
    scoring = result["scoring"]
    assert scoring["ratio_fp32"] == pytest.approx(4)
    assert scoring["ratio_bf16"] == pytest.approx(8)
    assert scoring["range"]["ratio_fp32"] == pytest.approx([3.6, 4])
    protocol = result["protocol"]
    # 750 (3 + 6.2) s of networks and 12500 steps of 0.2 s; ours 1 + 17250 * 0.1, of which a hundredth more for
    # checkpoints (0.2 s every 20 s), and 1.5 + 12500 * 0.05
    assert protocol["seconds"]["reference_without_tests"] == pytest.approx(6900 + 2500)
    assert protocol["seconds"]["fp32_without_tests"] == pytest.approx(1726 * 1.01 + 626.5)
    assert protocol["ratio_fp32_without_tests"] == pytest.approx(9400 / (1726 * 1.01 + 626.5))
    kinds = ("", "_without_tests", "_equal_tests")
    assert set(protocol["how"]) == {f"ratio_{p}{k}" for p in ("fp32", "bf16") for k in kinds}


def test_rates_and_shares(result):
    assert result["rates"]["member_step"] == pytest.approx({"reference": 320, "fp32": 1280, "bf16": 2560})
    assert result["flop_share"]["member_step"] == pytest.approx({"reference": 0.32, "fp32": 1.28, "bf16": 0.64})
    assert result["flop_share"]["scoring"]["bf16"] == pytest.approx(400 * 1.5e9 / 4e11)


def test_the_page_prints_every_result_and_the_notes(tmp_path, result):
    quick = copy.deepcopy(result) | {"quick": True}
    quick["machine"]["load"] = 1.7
    (tmp_path / "one.json").write_text(json.dumps(result))
    (tmp_path / "two.json").write_text(json.dumps(quick))
    (tmp_path / "notes.md").write_text("## Notes\n\nWritten by hand.\n")
    text = page(tmp_path, tmp_path / "notes.md")
    assert "| scoring | 4.00 (3.60–4.00) | 8.00 (7.20–8.00) |" in text
    assert "| 1,000 | 64 | 0.50 | 700 | 2000 |" in text
    assert "Made-up (family 1, model 2)" in text
    assert text.index("## one") < text.index("## two") < text.index("Written by hand.")
    assert text.count("a quick look") == 1
    assert text.count("other processes kept 1.7 cores busy") == 1
    assert tables(result) in text


def test_the_page_shows_whole_protocols_and_says_that_a_gpu_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("medad.detectors.contract.detector.cores", lambda: 1)
    (tmp_path / "whole").mkdir()
    result = measure("cpu", "fp32", "tiny", Protocol(normal=4, unlabeled=4, test=4))
    (tmp_path / "whole" / "cpu.json").write_text(json.dumps(result | {"training_s": 12.0, "scoring_s": 0.5}))
    text = page(tmp_path, tmp_path / "notes.md")
    assert "| fp32 | 12.0 | 0.5 | 12.5 |" in text
    assert "Figures of a GPU are missing" in text
    (tmp_path / "whole" / "gpu.json").write_text(json.dumps(result | {"gpu": "Fast 1", "precision": "tf32"}))
    text = page(tmp_path, tmp_path / "notes.md")
    assert "| Fast 1 | tf32 |" in text
    assert "missing" not in text
    assert slug_of(result | {"gpu": "Fast 1", "jobs": 2}) == "fast-1-2-cores-fp32"


def test_a_page_without_results_or_notes_says_what_is_measured(tmp_path):
    assert "**The protocol**" in page(tmp_path, tmp_path / "notes.md")


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ("Intel(R) Xeon(R) Gold 6430 CPU @ 2.10GHz", "intel-xeon-gold-6430-4-cores"),
        ("AMD EPYC 9575F 64-Core Processor", "amd-epyc-9575f-4-cores"),
    ],
)
def test_the_name_of_a_machine(cpu, expected):
    assert slug(cpu, 4) == expected


def test_pieces_are_run_in_turns():
    order = []
    pieces = [Piece(name, lambda name=name: order.append(name), 1) for name in "ab"]
    interleave(pieces, 3)
    assert order == list("ababab")
    assert [len(piece.seconds) for piece in pieces] == [3, 3]
