"""The report is one well-formed file that loads nothing, escapes data and names no image."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from medad.detectors.ddad.ddad import DDAD
from medad.evaluation.metric_list import CHI2, FPR_AT_TPR, SENSITIVITY_AT_SPECIFICITY, listed
from medad.evaluation.promises.workload import reading
from medad.evaluation.scores import ScoreTable
from medad.evaluation.summary import summarise
from medad.reports.html import cards, html, join, table
from medad.reports.outcome import Outcome
from medad.reports.report import heat_maps, write_report
from medad.reports.sheet import UNLABELLED, Sheet, captions, choose_groups, draw_sheet
from medad.reports.tables import accuracy_tables

VOID = {"meta", "img"}
COUNTS = {
    "normal": {"images": 8, "normal": 8, "abnormal": 0},
    "unlabeled": {"images": 5, "normal": 2, "abnormal": 3},
    "test": {"images": 12, "normal": 6, "abnormal": 6},
}
LOSSES = {"ndm_1": np.arange(3.0), "r_dual": np.ones(2)}


class Page(HTMLParser):
    """Collects text, tags and what the page loads; fails on tags that are not closed in order."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.loads, self.words = [], [], [], []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def with_more(values, more):
    """Put the leaves of nested `more` into nested `values`."""
    return values | {k: with_more(values.get(k, {}), v) if isinstance(v, dict) else v for k, v in more.items()}


@pytest.fixture
def report(tmp_path):
    """Write a report and parse it."""

    def write(
        scores,
        sheet=None,
        losses=None,
        config=None,
        title="A run",
        versions=None,
        threshold=None,
        more=None,
        choice=None,
        **options,
    ):
        metrics = with_more(summarise(scores, **options), more or {})
        flagged = 0 if scores.pred_label is None else int(scores.pred_label.sum())
        path = write_report(
            tmp_path,
            title=title,
            config=config or {"method": "ddad", "training": {"epochs": 2}},
            versions=versions or {},
            outcome=Outcome(metrics, scores.primary, COUNTS, threshold, flagged),
            scores=scores,
            losses=losses or {},
            sheet=sheet,
            describe=DDAD.meaning,
            choice=choice,
        )
        assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
        assert path == tmp_path / "report.html"
        return Page(path.read_text()), metrics

    return write


def test_everything_known_is_shown(report, table, sheet):
    masks = np.zeros((36, 4, 4), bool)
    masks[20:, 1] = True
    maps = {"r_dual": np.random.default_rng(0).random((36, 4, 4))}
    page, metrics = report(table, sheet, LOSSES, versions={"torch": "9.8.7"}, masks=masks, maps=maps)
    for key in ("auroc", "ap"):
        value, (low, high) = metrics["image"]["r_dual"][key], metrics["image"]["r_dual"][f"{key}_ci"]
        assert f"{100 * value:.1f} ({100 * low:.1f}–{100 * high:.1f})" in page.text
    for words in (
        "tested on 20 normal and 16 abnormal",
        "What to do next",
        "bright (8)",
        "best Dice (oracle), %",
        "16 of them have a mask",
        "Distribution of the scores",
        "ROC and precision-recall curves",
        "Worst misses: abnormal images with the lowest scores",
        "Worst false alarms: normal images with the highest scores",
        "All maps of these images",
        "8 bins over the range of each score",
        "In brackets the 95 % interval. It speaks of the choice of test images, not of the chance in training.",
        "Training",
        "training.epochs 2",
        "torch 9.8.7",
        "8 normal images",
        "5 unlabeled images (3 abnormal)",
        "12 test images: 6 normal, 6 abnormal",
        "maps at 16 x 16 pixels",
    ):
        assert words in page.text, words
    assert page.tags.count("img") == 4 + 3 * 12 + 1  # figures, three pictures of each image, all maps
    assert page.text.count("marked as abnormal") == 6 and page.text.count("map alone") == 6
    assert page.text.count("pred_score") == 0


def test_the_page_loads_nothing_and_runs_nothing(report, table, sheet):
    page, _ = report(table, sheet, LOSSES)
    assert page.loads
    assert all(value.startswith("data:image/") for value in page.loads)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)


def test_no_image_is_named(report, table, sheet, tmp_path):
    report(table, sheet, LOSSES)
    assert "patient-" not in (tmp_path / "report.html").read_text()


def test_data_are_escaped(report, table):
    evil = "<script>alert('1')</script>&\"$x$"
    kinds = tuple(kind and evil for kind in table.kinds)
    columns = table.columns | {evil: table.columns["a_intra"] + 1}
    page, _ = report(
        ScoreTable(table.image_path, table.gt_label, columns, kinds),
        losses={evil: np.ones(2)},
        config={evil: {evil: evil}},
        title=evil,
    )
    assert "script" not in page.tags
    assert page.text.count("alert('1')") >= 6


def test_decision_is_told_where_the_run_has_a_threshold(report, table):
    labelled = ScoreTable(table.image_path, table.gt_label, table.columns, None, table.gt_label.copy())
    page, _ = report(labelled, threshold=0.25)
    assert "a score of 0.25 or more is called abnormal, here 16 of 36 images" in page.text
    assert "Measured specificity: 100.0 %" in page.text and "Sensitivity: 100.0 %" in page.text
    assert "Kinds of abnormality" not in page.text


def test_best_figure_alone_is_bold(tmp_path, report, table):
    _, metrics = report(ScoreTable(table.image_path, table.gt_label, table.columns))
    source = (tmp_path / "report.html").read_text()
    body = source[source.index("<table>") : source.index("</table>")]
    for metric in listed("image"):
        values = [metrics["image"][name][metric.key] for name in table.shown_rows]
        best = max(values) if metric.higher else min(values)
        for value in values:
            assert (f"<b>{metric.written(value)}</b>" in body) == (value == best), (metric.name, value)


def test_unlabelled_images_have_histograms_but_no_tables(report, table):
    page, _ = report(ScoreTable(table.image_path, None, table.columns))
    assert "They have no labels" in page.text
    assert "AUROC" not in page.text
    assert page.tags.count("img") == 1


def test_unlabelled_images_above_the_threshold_are_counted(report, table):
    page, _ = report(ScoreTable(table.image_path, None, table.columns, None, np.arange(36) % 3 == 0), threshold=1.0)
    assert "called abnormal, here 12 of 36 images" in page.text


def test_the_opening_stands_first(report, table, sheet, tmp_path):
    report(table, sheet)
    source = (tmp_path / "report.html").read_text()
    parts = ("of 100 cases", "What to do next", "chance: by the score r_dual", "<h2>Heat maps", "<h2>Scores")
    places = [source.index(part) for part in parts]
    assert places == sorted(places)


def test_the_map_at_chance_stands_last_and_is_called_so(report, table, sheet, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("medad.reports.report.draw_sheet", lambda shown: drawn.append(shown) or draw_sheet(shown))
    image = {"a_intra": {"auroc_ci": (0.49, 0.7)}, "r_dual": {"auroc_ci": (0.6, 0.9)}}
    page, _ = report(table, sheet, more={"image": image})
    assert list(drawn[0].maps) == ["r_dual", "a_intra: no better than chance"]
    assert "the map r_dual. The detector decides by the map a_intra, whose score does no better" in page.text
    assert heat_maps(tmp_path / "report.html").startswith(b"\x89PNG")
    page, _ = report(table, sheet, more={"image": {name: {"auroc_ci": (0.6, 0.9)} for name in image}})
    assert list(drawn[1].maps) == ["a_intra", "r_dual"] and "no better than chance: see" not in page.text
    alone = replace(sheet, maps={"a_intra": sheet.maps["a_intra"]})
    page, _ = report(table, alone, more={"image": image})
    assert "Its score does no better than chance on these images" in page.text and "All maps" not in page.text
    assert heat_maps(tmp_path / "report.html") is None


def test_every_figure_that_has_an_interval_shows_it(report, table):
    masks = np.zeros((36, 4, 4), bool)
    masks[20:, 1] = True
    maps = {"a_map": np.random.default_rng(0).random((36, 4, 4))}
    pixel = {f"{name}_ci": (0.11, i / 10) for i, name in enumerate(("auroc", "ap", "best_dice", "au_pro"), start=2)}
    more = {"image": {"r_dual": {"chi2_ci": (12.345, 67.891)}}, "pixel": {"a_map": pixel}}
    page, _ = report(table, masks=masks, maps=maps, more=more)
    for ends in ("12.35–67.89", *(f"11.0–{10 * i}.0" for i in (2, 3, 4, 5))):
        assert f"({ends})" in page.text, ends


def test_what_sees_no_pathology_stands_below_the_scores(report, table):
    row = {"auroc": 0.987, "auroc_ci": (0.9, 0.995), "ap": 0.876, "ap_ci": (0.8, 0.91)}
    without = {"auroc": None, "auroc_ci": None, "ap": None, "ap_ci": None}
    page, _ = report(table, more={"controls": {"thumbnail": row, "file_size_nu": without}})
    assert "8 x 8 thumbnail 98.7 (90.0–99.5) 87.6 (80.0–91.0) file size, with unlabeled – –" in page.text
    assert "A detector that is not clearly above them has not shown that it sees disease" in page.text
    assert "Not above the best of what sees no pathology: 8 x 8 thumbnail" in page.text
    assert "sees no pathology" not in report(table)[0].text


def test_equal_scores_are_undecided_not_wrong(report, table):
    columns = {"pred_score": np.zeros(36)}
    same = ScoreTable(table.image_path, table.gt_label, columns)
    index = np.concatenate(list(choose_groups(same, 12).values()))
    sheet = Sheet(np.zeros((12, 8, 8)), {"a": np.zeros((12, 8, 8))}, captions(same, index), ["x"] * 12)
    page, _ = report(same, sheet)
    assert "Images that tie there are undecided" in page.text
    assert not any("false positive" in title for title in sheet.titles)
    assert "Not shown to be better than chance" in page.text


def test_what_is_wider_than_a_phone_scrolls_by_itself_or_wraps(report, table, sheet, tmp_path):
    report(table, sheet, LOSSES, versions={"torch": "1"}, more={"controls": {"pixels": {"auroc": 0.5}}})
    source = (tmp_path / "report.html").read_text()
    assert source.count("<table") == len(re.findall('<div class="wide"><table', source)) > 3
    tiles = "".join(re.findall(r'<div class="tiles">.*?</div>', source, re.DOTALL))
    assert source.count("<img") - tiles.count("<img") == len(re.findall('<div class="wide"><img', source)) == 5
    assert tiles.count("<img") == 36


@pytest.mark.parametrize("count", [1, 10])
def test_few_images_without_labels_or_masks_have_heat_maps(count, report):
    rng = np.random.default_rng(0)
    few = ScoreTable(tuple(map(str, range(count))), None, {"pred_score": rng.random(count)})
    groups = choose_groups(few)
    headings = [name for name, index in groups.items() for _ in index]
    maps = {"anomaly_map": rng.random((count, 8, 8))}
    sheet = Sheet(rng.random((count, 8, 8, 3)), maps, captions(few, np.arange(count)), headings, None, (0.2, 0.9))
    page, _ = report(few, sheet)
    assert page.tags.count("img") == 3 * count + 1
    assert all((heading in page.text) == (heading in groups) for heading in UNLABELLED)
    assert "0.20.9 or more" in page.text  # the colours of normal images


def test_one_class_is_reported_without_figures(report, table):
    columns = {name: values[:20] for name, values in table.columns.items()}
    normal = ScoreTable(table.image_path[:20], table.gt_label[:20], columns)
    with pytest.warns(RuntimeWarning, match="one class"):
        page, _ = report(normal)
    assert "With one class only there is no accuracy to report" in page.text
    assert page.tags.count("img") == 1


def test_helpers_escape_and_keep_html():
    assert html("<") == "&lt;"
    assert join(html("<b"), "&") == "&lt;b\n&amp;"
    assert "<th>a&amp;</th>" in table(["h"], [["a&"]])
    assert '<td class="text">' in table(["h", "i"], [["a", "b"]], text=[1])
    assert "<b>1</b>" in cards([(1, "x")])


def test_without_labels_only_images_are_counted(tmp_path, table):
    unlabelled = ScoreTable(table.image_path, None, table.columns)
    counts = {"normal": {"images": 8, "normal": 8, "abnormal": 0}, "unlabeled": {"images": 36}}
    outcome = Outcome(summarise(unlabelled), "r_dual", counts)
    options = {"config": {}, "versions": {}, "losses": {}, "sheet": None, "outcome": outcome, "describe": DDAD.meaning}
    page = Page(write_report(tmp_path, title="t", scores=unlabelled, **options).read_text())
    assert "36 unlabeled images" in page.text and "abnormal)" not in page.text and "Versions" not in page.text


def test_what_a_list_costs_to_read(report, table):
    page, _ = report(table)
    told = page.text.split("What it costs to read")[1]
    expected = reading(table.gt_label, table.columns["pred_score"], 0.95, 0.1, table.patients)
    assert f"{100 * expected.read:.0f} [{100 * expected.low:.0f}, {100 * expected.high:.0f}]" in told
    assert told.count("[") == 3 and "Decision curve" in told
    page, _ = report(replace(table, gt_label=None))
    assert "What it costs to read" not in page.text


def test_groups_stand_in_a_table_of_their_own(report, table):
    page, _ = report(replace(table, groups={"sex": ("F", "M") * 18}))
    told = page.text.split("Groups of patients and images")[1]
    assert "sex: F" in told and "sex: M" in told
    page, _ = report(table)
    assert "Groups of patients" not in page.text


def test_a_detector_that_chose_its_score_tells_why(report, table):
    judged = {"r_dual": {"auc_u": 0.6, "low": 0.5, "high": 0.7}, "a_inter": {"auc_u": 0.75, "low": 0.7, "high": 0.8}}
    page, _ = report(table, choice={"chosen": "a_inter", "rule": "the <best>", "judged": judged})
    told = page.text.split("Which score is reported")[1]
    assert "reports a_inter" in told and "The rule: the <best>." in told
    assert told.index("0.750") < told.index("0.600") and DDAD.meaning("a_inter") in told
    both = judged | {"r_dual + a_inter": {"auc_u": 0.76, "low": 0.71, "high": 0.81}}
    page, _ = report(table, choice={"chosen": "r_dual + a_inter", "rule": "all", "judged": both})
    told = page.text.split("Which score is reported")[1]
    assert "reports the mean of r_dual, a_inter." in told
    assert told.index("0.760") < told.index("the mean, which is reported") < told.index("0.750")
    assert "Which score is reported" not in report(table)[0].text


def test_a_full_disk_leaves_the_old_report_and_nothing_else(report, tmp_path, table, monkeypatch):
    report(table)
    old = (tmp_path / "report.html").read_bytes()

    def full(file, text, **options):
        file.write_bytes(text[:9].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        report(table)
    assert (tmp_path / "report.html").read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_metrics_of_earlier_versions_are_shown_as_far_as_they_go(table):
    metrics = summarise(table)
    for row in metrics["image"].values():
        for metric in (FPR_AT_TPR, SENSITIVITY_AT_SPECIFICITY):
            row.pop(metric.key, None), row.pop(metric.ci, None)
        row.pop(CHI2.ci, None)  # pred_score may share the figures of a named score
    page = Page("".join(accuracy_tables(metrics, table, None, DDAD.meaning)))
    assert FPR_AT_TPR.name not in page.text and SENSITIVITY_AT_SPECIFICITY.name not in page.text
    assert f"{metrics['image']['r_dual'][CHI2.key]:.2f} a_intra and" in page.text
