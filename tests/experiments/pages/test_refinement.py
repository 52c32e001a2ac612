"""The swing of refined scores is read off the stored curves."""

import pytest

from medad.experiments.pages.refinement import page, pictures, read_curves, swing


def test_swing_is_that_of_the_second_half(tmp_path):
    rows = ["epoch,weights,auroc,ap,auroc_deduplicated,ap_deduplicated"]
    rows += [f"{e},last,0.{90 + v},0.5,0.8,0.5" for e, v in ((10, 0), (20, 9), (30, 5), (40, 3))]
    (tmp_path / "paper-seed0.csv").write_text("\n".join(rows))
    (curve,) = read_curves(tmp_path)["paper", "last"]
    assert swing(curve, 1) == pytest.approx((93, 93, 95))
    assert swing(curve, 2) == pytest.approx((80, 80, 80))


def test_refinement_page_with_last_weights_only(tmp_path):
    folder = tmp_path / "brain_tumor" / "ddad-aeu" / "refinement-of-seed0"
    folder.mkdir(parents=True)
    header = "epoch,weights,auroc,ap,auroc_deduplicated,ap_deduplicated"
    (folder / "paper-bf16-seed0.csv").write_text(f"{header}\n5,last,0.9,0.5,0.8,0.5\n10,last,0.95,0.5,0.8,0.5")
    assert "| paper-bf16 | last | 1 | 95.0 |" in page(tmp_path)
    ((name, png),) = pictures(tmp_path).items()
    assert f"({name})" in page(tmp_path) and png == pictures(tmp_path)[name] and png.startswith(b"\x89PNG")


def test_the_maps_before_refinement_stand_below(tmp_path):
    folder = tmp_path / "fundus_glaucoma" / "ddad-ae" / "refinement-of-seed1"
    folder.mkdir(parents=True)
    header = "epoch,weights,auroc,ap,auroc_deduplicated,ap_deduplicated"
    (folder / "r_dual-brief-fp32-seed0.csv").write_text(f"{header}\n5,last,0.9,0.5,0.8,0.5")
    assert "not refined" not in page(tmp_path)
    run = folder.parent / "seed1"
    run.mkdir()
    lines = ["image_path,gt_label,pred_score,a_intra,a_inter", "a,0,1,1,3", "b,0,2,4,2", "c,1,3,2,4", "d,1,4,5,5"]
    (run / "scores.csv").write_text("\n".join(lines))
    assert "| a_intra, not refined |  |  | 75.0 |" in page(tmp_path)
    assert "| a_inter, not refined |  |  | 100.0 |" in page(tmp_path)
