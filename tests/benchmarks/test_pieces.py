"""The smallest possible measurement goes through all pieces."""

from dataclasses import replace

import pytest

from benchmarks.compose import Protocol
from benchmarks.peak import flops
from benchmarks.pieces import REFERENCE, OurPieces, ReferencePieces
from benchmarks.plan import QUICK
from benchmarks.scaling import measure

PLAN = replace(QUICK, member_steps=(1, 2), refine_steps=(1, 2), reference_steps=1, reference_tested=1,
               reference_scored=1, scored=2)  # fmt: skip
PROTOCOL = Protocol(normal=8, unlabeled=8, batch_size=4)


def test_the_reference_has_all_pieces_and_they_run():
    pieces = ReferencePieces(PLAN, PROTOCOL).pieces()
    assert [piece.name for piece in pieces] == [f"reference/{name}" for name in REFERENCE]
    for piece in pieces[2:]:
        piece.time()
        assert piece.seconds[0] > 0


def test_our_pieces_train_and_score(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr(
        "benchmarks.pieces.train_phases", lambda specs, *_: trained.append([(spec.name, spec.steps) for spec in specs])
    )
    monkeypatch.setattr("medad.detectors.contract.detector.cores", lambda: 3)
    pieces = OurPieces("fp32", tmp_path, PLAN, PROTOCOL).pieces()
    for piece in pieces:
        piece.time()
    assert [piece.name for piece in pieces] == [
        "fp32/members/1",
        "fp32/members/2",
        "fp32/refiner/1",
        "fp32/refiner/2",
        "fp32/checkpoint",
        "fp32/scoring",
    ]
    members = [[("ndm_1", n), ("udm_1", n), ("ndm_2", n)] for n in (1, 2)]
    assert trained == [*members, [("r_dual", 1)], [("r_dual", 2)]]


def test_our_pieces_have_what_asr_net_s_phase_needs(tmp_path):
    ours = OurPieces("fp32", tmp_path, PLAN, PROTOCOL)
    spec = ours._stages()[1][0]
    assert spec.make().networks


def test_scaling_measures_a_row_and_removes_its_file(tmp_path):
    row = measure(8, 32, (1, 2), tmp_path / "images.npy")
    assert (row["images"], row["size"]) == (8, 32)
    assert not list(tmp_path.iterdir())


def test_operations_of_the_networks():
    # ASR-Net at 64 x 64, a multiplication and an addition each: forward thrice, but no gradient of the maps
    layers = [2 * 64**2 * 9 * a * b for a, b in ((2, 128), (128, 128), (128, 2))]
    found = flops()
    assert found["refine_step"] == 3 * sum(layers) - layers[0]
    assert found["member_step"] == pytest.approx(91e6, rel=0.01)
    assert found["scoring"] > sum(layers)
