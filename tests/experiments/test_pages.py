"""Pages of results say what the stored scores say."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from medad.detectors.registry import METHODS
from medad.errors import UserError
from medad.evaluation.comparison import compare
from medad.evaluation.scores import ScoreTable, write_scores
from medad.evaluation.verdict import verdict as judged
from medad.experiments import methods_page, precision
from medad.experiments.ledger import ledger
from medad.experiments.overview import overview
from medad.experiments.paper import published_auroc, published_figures
from medad.experiments.refinement_page import page as refinement_page
from medad.experiments.refinement_page import read_curves, swing
from medad.experiments.store import method_folder, store, stored
from medad.experiments.table3 import page
from medad.experiments.verdict import shortened
from medad.workflows.options import TrainOptions

RUN = {
    "method": "ddad",
    "options": {"backbone": "aeu", "ensemble_size": 2},
    "seed": 0,
    "precision": "fp32",
    "data": {"name": "brain_tumor", "normal": {"images": 9}, "unlabeled": {"images": 5, "abnormal": 3}},
    "versions": {"cpu": "a processor", "torch": "2"},
    "timings": {"fit_seconds": 60},
    "config": {"preset": "paper", "options": {}},
}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    columns = {name: labels + rng.normal(size=60) for name in ("a_rec_1", "a_rec_2", "a_inter", "r_dual")}
    kinds = tuple(np.where(labels == 0, "normal", np.where(np.arange(60) % 2, "glioma", "meningioma")))
    paths = tuple(f"images/{i}.png" for i in range(60))
    return ScoreTable(paths, labels, columns | {"pred_score": columns["r_dual"]}, kinds)


@pytest.fixture
def results(table, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    write_scores(run / "scores.csv", table)
    (run / "metrics.json").write_text(json.dumps({"pixel": {"a_inter": {"ap": 0.25, "best_dice": 0.5}}}))
    (run / "run.yaml").write_text(yaml.safe_dump(RUN))
    (run / "weights.safetensors").write_bytes(b"large")
    folder = store(run, tmp_path / "results")
    assert folder == tmp_path / "results" / "brain_tumor" / "ddad-aeu" / "seed0"
    assert sorted(p.name for p in folder.iterdir()) == ["metrics.json", "run.yaml", "scores.csv"]
    return tmp_path / "results"


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "ddad-aeu"), ({"precision": "bf16"}, "ddad-aeu-bf16"), ({"config": {"preset": "quick"}}, "ddad-aeu-quick")],
)
def test_a_folder_is_named_after_what_differs_from_the_paper(changes, name):
    assert method_folder(RUN | changes) == name
    assert method_folder(RUN | {"method": "ae", "options": {}}) == "ae"


def keep(results, dataset, kept):
    (results / dataset / "deduplicated.txt").write_text("".join(f"images/{i}.png\n" for i in kept))


def line(text, *cells):
    """Return the cells of the only line of a table that begins with `cells`."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines()]
    (found,) = [line for line in lines if line[: len(cells)] == list(cells)]
    return found


def test_page_shows_our_figures_beside_the_papers(results, table):
    keep(results, "brain_tumor", (*range(15), *range(30, 60)))
    text = page("brain_tumor", results)
    auroc = 100 * roc_auc_score(table.gt_label, table.columns["a_inter"])
    kept = np.r_[:15, 30:60]
    clean = 100 * roc_auc_score(table.gt_label[kept], table.columns["a_inter"][kept])
    row = line(text, "a_inter", "0")
    assert row[2:4] == ["1", "97.1"]
    assert row[4].startswith(f"{auroc:.1f} [")
    assert row[6] == f"one training ({auroc - 97.1:+.1f})"
    assert row[7].startswith(f"{clean:.1f} [")
    glioma = np.r_[:15, 31:60:2]
    assert row[9].startswith(f"{100 * roc_auc_score(table.gt_label[glioma], table.columns['a_inter'][glioma]):.1f} [")
    assert "glioma, de-duplicated" in text
    assert "15 normal + 30 abnormal" in text
    assert line(text, "0", "a_inter")[2:] == ["25.0", "50.0"]
    assert "there is no interval and no clean figure" in text


def test_controls_stand_at_the_top_of_every_page(results, table):
    folder = results / "brain_tumor" / "controls" / "seed0"
    folder.mkdir(parents=True)
    control = table.columns["a_rec_1"]
    write_scores(folder / "scores.csv", replace(table, columns={"pred_score": control, "thumbnail": control}))
    auroc = f"{100 * roc_auc_score(table.gt_label, control):.1f}"
    for text in (page("brain_tumor", results), methods_page.page("brain_tumor", results), ledger(results)):
        assert line(text, "thumbnail")[1].startswith(f"{auroc} [")
        assert text.index("| thumbnail |") < text.index("ddad-aeu")
    assert f"| thumbnail | {auroc} |" in overview(results)


def test_single_networks_are_trainings(results, table):
    row = line(page("brain_tumor", results), "a_rec", "0")
    members = [100 * roc_auc_score(table.gt_label, table.columns[f"a_rec_{k}"]) for k in (1, 2)]
    assert row[2:4] == ["2", "94.0"]
    assert row[4].startswith(f"{np.mean(members):.1f} ± {np.std(members, ddof=1):.1f} [")


def test_seeds_stand_below_their_mean_and_only_that_is_judged(table, tmp_path):
    results = tmp_path / "results"
    for seed in (0, 1):
        store_run(table, tmp_path / str(seed), results, 0.3 * seed, seed=seed)
    text = page("brain_tumor", results)
    aurocs = [
        100 * roc_auc_score(table.gt_label, table.columns["r_dual"] + 0.3 * seed * table.gt_label) for seed in (0, 1)
    ]
    mean = line(text, "r_dual", "0, 1")
    assert mean[2:4] == ["2", "97.2"]
    assert mean[4].startswith(f"{np.mean(aurocs):.1f} ± {np.std(aurocs, ddof=1):.1f} [")
    assert mean[6].endswith(f" ({np.mean(aurocs) - 97.2:+.1f})")
    for seed in (0, 1):
        single = line(text, "r_dual", str(seed))
        assert single[4].startswith(f"{aurocs[seed]:.1f} [")
        assert single[3] == single[6] == ""


def test_stored_results_come_back(results, table):
    (result,) = stored("brain_tumor", results)
    assert result.method == "ddad-aeu"
    assert result.scores.image_path == table.image_path
    assert list(stored("other", results)) == []


def test_only_table_3_has_published_figures():
    assert published_auroc("brain_tumor", "aeu", "r_dual") == 97.2
    assert published_auroc("brain_tumor", "ae", "a_rec_1") is None
    assert published_auroc("phantom", "ae", "a_rec") is None


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
    assert "| paper-bf16 | last | 1 | 95.0 |" in refinement_page(tmp_path)
    assert (tmp_path / "refinement-of-seed0-brain_tumor-ddad-aeu.png").exists()


def test_store_refuses_to_overwrite_another_experiment(results, table, tmp_path):
    other = tmp_path / "run"
    (other / "run.yaml").write_text(yaml.safe_dump(RUN | {"config": {"preset": "paper", "device": "cuda"}}))
    with pytest.raises(UserError, match="other options"):
        store(other, results)
    (other / "run.yaml").write_text(yaml.safe_dump(RUN | {"config": {"preset": "paper", "ensemble_size": 5}}))
    assert store(other, results).parent.name == "ddad-aeu-ensemble_size-5"


def test_a_short_training_is_not_judged_by_the_paper(results):
    folder = results / "brain_tumor" / "ddad-aeu" / "seed0"
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN | {"config": {"preset": "quick"}}))
    text = page("brain_tumor", results)
    assert "differs" not in text
    assert "97.2" not in text


def store_run(table, folder, results, shift=0.0, **changes):
    folder.mkdir()
    columns = {name: column + shift * table.gt_label for name, column in table.columns.items()}
    write_scores(folder / "scores.csv", replace(table, columns=columns))
    (folder / "metrics.json").write_text(json.dumps({"pixel": {}}))
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN | changes))
    store(folder, results)


def test_what_was_tried_after_the_test_is_not_judged(table, tmp_path):
    results = tmp_path / "results"
    options = {"method": "ae", "preset": "paper", "options": {"loss": "l1"}}
    config = asdict(TrainOptions(**options))
    store_run(table, tmp_path / "tried", results, method="ae", options={}, config=config)
    store_run(table, tmp_path / "ae", results, method="ae", options={}, config=config | {"options": {}})
    (results / "brain_tumor_reasons.yaml").write_text(yaml.safe_dump({"data": ["brain_tumor"], "runs": [options]}))
    text = methods_page.page("brain_tumor", results)
    assert line(text, "ae-loss-l1")[-1].startswith("not judged: tried after the test figures had been seen (")
    assert "not judged" not in line(text, "ae")[-1]
    assert "| ae | pred_score, ae |" in ledger(results)
    (results / "brain_tumor_reasons.yaml").unlink()
    assert "not judged" not in line(methods_page.page("brain_tumor", results), "ae-loss-l1")[-1]


def test_runs_in_two_precisions_are_compared_image_by_image(table, tmp_path):
    results = tmp_path / "results"
    for seed in (0, 1):
        store_run(table, tmp_path / f"fp32-{seed}", results, seed=seed)
        store_run(table, tmp_path / f"bf16-{seed}", results, 0.5, seed=seed, precision="bf16")
    store_run(table, tmp_path / "alone", results, seed=2)
    found = precision.differences(results)
    assert {(d.seed, d.score) for d in found} == {(s, n) for s in (0, 1) for n in ("a_rec", "a_inter", "r_dual")}
    labels, column = table.gt_label, table.columns["a_inter"]
    expected = 100 * (roc_auc_score(labels, column + 0.5 * labels) - roc_auc_score(labels, column))
    difference = next(d for d in found if d.score == "a_inter")
    assert difference.value == pytest.approx(expected)
    assert difference.low < expected < difference.high
    text = precision.section(results)
    assert "| ddad-aeu | 2 |" in text
    assert "does not hold" in text
    assert f"| brain_tumor | ddad-aeu | 1 | a_inter | {expected:+.2f} [" in text


def test_bf16_holds_where_it_changes_nothing(table, tmp_path):
    results = tmp_path / "results"
    for seed in (0, 1):
        for name in ("fp32", "bf16"):
            store_run(table, tmp_path / f"{name}-{seed}", results, seed=seed, precision=name)
    assert precision.section(results).count(" holds |") == 2
    assert precision.section(tmp_path / "fp32-0") == "No pair of runs is stored."


def test_one_pair_of_runs_is_judged_by_its_images(table, tmp_path):
    results = tmp_path / "results"
    for name in ("fp32", "bf16"):
        store_run(table, tmp_path / name, results, precision=name)
    assert "| ddad-aeu | 1 | 0.00 | +0.00 [+0.00, +0.00] | holds |" in precision.section(results)
    rng = np.random.default_rng(1)
    rows = {name: column + rng.normal(size=60) for name, column in table.columns.items()}
    write_scores(results / "brain_tumor" / "ddad-aeu-bf16" / "seed0" / "scores.csv", replace(table, columns=rows))
    found = precision.differences(results)
    raw = [d for d in found if d.score in precision.RAW]
    low, high = min(d.low for d in raw), max(d.high for d in raw)
    assert f"[{low:+.2f}, {high:+.2f}] | does not hold |" in precision.section(results)


def test_a_run_repeated_in_fp32_is_a_control(table, tmp_path):
    results = tmp_path / "results"
    for name in ("fp32", "bf16"):
        store_run(table, tmp_path / name, results, precision=name)
    assert "*Control*" not in precision.section(results)
    again = {"preset": "paper", "options": {"refine": False}}
    store_run(table, tmp_path / "again", results, 0.5, config=again)
    text = precision.section(results)
    control = text.partition("*Control*")[2]
    (difference,) = (d for d in precision.differences(results, precision.CONTROL) if d.score == "a_inter")
    assert f"| brain_tumor | ddad-aeu | 0 | a_inter | {difference.value:+.2f} [" in control
    assert "| ddad-aeu | 1 | 0.00 |" in text
    assert "refine-False" not in overview(results)


def test_the_ledger_has_every_method_and_prefers_runs_in_fp32_and_of_its_own(table, tmp_path):
    results = tmp_path / "results"
    store_run(table, tmp_path / "fp32", results)
    store_run(table, tmp_path / "bf16", results, 0.5, precision="bf16")
    keep(results, "brain_tumor", kept := [*range(20), *range(30, 60)])
    text = ledger(results)
    clean = 100 * roc_auc_score(table.gt_label[kept], table.columns["r_dual"][kept])
    assert line(text, "ddad", "r_dual, ddad-aeu")[5].startswith(f"{clean:.1f} [")
    auroc = 100 * roc_auc_score(table.gt_label, table.columns["r_dual"])
    assert f"| ddad | r_dual, ddad-aeu | 97.2 / 95.2 | {auroc:.1f} [" in text
    assert f"| one training ({auroc - 97.2:+.1f}) |" in text
    assert "| aeu | a_rec, ddad-aeu | 94.0 / 89.0 |" in text
    assert "| memae | memae | 77.4 / 70.0 |  |  |  |  |  | no data |" in text
    for name in METHODS:
        assert f"\n## {name}\n" in text
    store_run(table, tmp_path / "own", results, method="aeu", options={})
    longer, shorter = ({"preset": "paper", "options": {name: 600}} for name in ("epochs", "steps"))
    store_run(table, tmp_path / "vae", results, method="vae", options={}, config=longer)
    for name in ("vae", "igd"):
        store_run(table, tmp_path / f"{name}-steps", results, method=name, options={}, config=shorter)
    text = ledger(results, costs=tmp_path)
    assert "| aeu | pred_score, aeu | 94.0 / 89.0 |" in text
    assert "| vae | pred_score, vae-epochs-600 | 85.3 / – |" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| igd | ")]
    assert "| pred_score, igd-steps-600 | 94.3 / 90.6 |" in row
    assert "| not judged: shortened (" in row
    assert "no data" in ledger(tmp_path / "nothing")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_differs_from_the_paper(name):
    assert f"## {name}\n\n" in ledger(Path("nothing"))
    section = ledger(Path("nothing")).split(f"## {name}\n")[1].split("\n## ")[0]
    assert "Differs from the paper: " in section


def test_all_methods_stand_beside_their_published_figures(table, tmp_path):
    results, kept = tmp_path / "results", [*range(20), *range(30, 60)]
    store_run(table, tmp_path / "ddad", results)
    for seed in (0, 1):
        store_run(table, tmp_path / f"ae{seed}", results, 0.1 * seed, method="ae", options={}, seed=seed)
    shorter = {"config": {"preset": "paper", "options": {"steps": 5}}, "timings": {"resumed": True}}
    store_run(table, tmp_path / "vae", results, method="vae", options={}, **shorter)
    store_run(table, tmp_path / "quick", results, method="dae", options={}, config={"preset": "quick", "options": {}})
    (results / "brain_tumor" / "ae" / "notes.md").write_text("A reason.\n")
    (results / "brain_tumor_methods.yaml").touch()
    keep(results, "brain_tumor", kept)
    text = methods_page.page("brain_tumor", results)
    rows = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert set(rows) == {"| method", "| ddad-aeu", "| ae", "| vae-steps-5"}
    labels, column = table.gt_label, table.columns["r_dual"]
    aurocs = [100 * roc_auc_score(labels, column + 0.1 * seed * labels) for seed in (0, 1)]
    assert f"| 79.7 / 71.9 [1] | {np.mean(aurocs):.1f} ± {np.std(aurocs, ddof=1):.1f} [" in rows["| ae"]
    assert f"| {100 * roc_auc_score(labels[kept], column[kept]):.1f} [" in rows["| ddad-aeu"]
    (figure,) = (row.auroc for row in compare({"": [run.scores for run in stored("brain_tumor", results)][:2]}))
    assert rows["| ae"].endswith(f"| 2 | paper | 1 | {judged(figure, 79.7)} |")
    assert f"({np.mean(aurocs) - 79.7:+.1f})" in rows["| ae"]
    assert "85.3 [2]" in rows["| vae-steps-5"]
    assert f"| steps 5 |  | not judged: shortened ({aurocs[0] - 85.3:+.1f}) |" in rows["| vae-steps-5"]
    assert text.endswith("## ae\n\nA reason.\n")
    assert "`medad benchmark`: [brain_tumor_methods](brain_tumor_methods.yaml)." in text
    text = methods_page.page("brain_tumor", results, "quick")
    (row,) = [line for line in text.splitlines() if line.startswith("| dae-quick | ")]
    assert row.endswith("| 1 | quick | 1 |")
    assert "published |" not in text


@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        ("ddad", {"backbone": "aeu"}, (97.2, 95.2, 1)),
        ("ddad", {"backbone": "aeu", "refine": False}, None),
        ("ae", {"form": "ddad"}, (79.7, 71.9, 1)),
        ("ae", {"form": "medianomaly"}, (85.9, 76.9, 2)),
        ("ae", {"form": "ddad", "loss": "ssim"}, None),
        ("aeu", {"form": "medianomaly"}, None),
        ("vae", {}, (85.3, None, 2)),
        ("ceae", {}, (85.3, None, 2)),
        ("nonsense", {}, None),
    ],
)
def test_published_figures_are_those_of_the_same_recipe(method, options, expected):
    assert published_figures("brain_tumor", {"method": method, "options": options}) == expected
    assert published_figures("elsewhere", {"method": method, "options": options}) is None


def test_the_ledger_tells_what_training_costs(tmp_path):
    phase = {"phase": "ae", "stage": 0, "steps": 3750, "threads": 1, "step_seconds": 0.05}
    machine = {"cpu": "a processor", "cores": 2, "date": "2026-01-01", "torch": "2"}
    cost = {"hours": 0.052, "quick_minutes": 1.26, "phases": [phase, phase]}
    changed = {name: value for name, value in cost.items() if name != "quick_minutes"}
    document = {"machine": machine, "images": 1000, "methods": {"ae": cost, "aeu": changed}}
    (tmp_path / "machine.json").write_text(json.dumps(document))
    text = ledger(tmp_path / "nothing", tmp_path)
    assert "a processor, 2 cores" in text
    assert "| ae | 0.05 | 3,750 + 3,750 | 0.050 + 0.050 | 1.3 |" in text
    assert "| aeu | 0.05 | 3,750 + 3,750 | 0.050 + 0.050 |  |" in text


@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        ("ae", {}, False),
        ("ae", {"form": "medianomaly", "epochs": 600}, False),
        ("ae", {"epochs": 100}, True),
        ("ae", {"steps": 10**6}, True),
        ("fanogan", {"steps": 1000}, True),
        ("fanogan", {"steps": 20_000, "kappa": 2.0}, False),
        ("fanogan", {"encoder_steps": 10}, True),
    ],
)
def test_a_training_is_shortened_if_it_is_shorter_than_the_papers(method, options, expected, results):
    (result,) = stored("brain_tumor", results)
    run = RUN | {"method": method, "config": {"preset": "paper", "options": options}}
    assert shortened(replace(result, run=run)) == expected
