"""Controls stand at the top of every page."""

from dataclasses import replace

from sklearn.metrics import roc_auc_score
from stored_runs import line

from medad.evaluation.scores import write_scores
from medad.experiments.pages import backbones, methods
from medad.experiments.pages.fidelity import ledger
from medad.experiments.pages.overview import overview


def test_controls_stand_at_the_top_of_every_page(results, table):
    folder = results / "brain_tumor" / "controls" / "seed0"
    folder.mkdir(parents=True)
    control = table.columns["a_rec_1"]
    write_scores(folder / "scores.csv", replace(table, columns={"pred_score": control, "thumbnail": control}))
    auroc = f"{100 * roc_auc_score(table.gt_label, control):.1f}"
    for text in (backbones.page("brain_tumor", results), methods.page("brain_tumor", results), ledger(results)):
        assert line(text, "thumbnail")[1].startswith(f"{auroc} [")
        assert text.index("| thumbnail |") < text.index("ddad-aeu")
    assert f"| thumbnail | {auroc} |" in overview(results)
