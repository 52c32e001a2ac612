"""The worklist: every image in its row, whatever its name holds; nothing from outside; thousands of rows."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest

from medad.evaluation.scores import ScoreTable
from medad.reports import worklist as module
from medad.reports.worklist import Worklist, write_worklist

ODD = ('<script>alert(1)</script> & "q".png', "100%25 #x?y.png", "no utf-8 \udcff.png", "javascript:alert(1).png")


class Rows(HTMLParser):
    """The rows of the list: their words, links and pictures."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "li" and "list" in self.tags:
            self.rows.append({"text": "", "links": [], "pictures": [], "css": dict(attrs).get("class")})
        elif tag == "ol":
            self.tags.append("list")
        elif tag in ("a", "img") and self.rows:
            key = {"a": "links", "img": "pictures"}[tag]
            self.rows[-1][key].append(dict(attrs)["href" if tag == "a" else "src"])

    def handle_data(self, data):
        if self.rows:
            self.rows[-1]["text"] += data.strip("\n")


def make(names, **changes):
    n = len(names)
    table = ScoreTable(
        tuple(names),
        None,
        {"pred_score": np.linspace(2, 1, n)},
        pred_label=(np.arange(n) < 1).astype(int),
        p_value=np.linspace(0.01, 1, n),
    )
    facts = {
        "table": table,
        "files": [Path("/archive") / name for name in names],
        "small": [f"worklist/{name}.jpg" for name in names],
        "large": [f"heatmaps/{name}.png" for name in names],
        "percentiles": np.linspace(100, 0, n),
        "scale": (0.125, 1.5),
        "about": ["By <b>."],
    }
    return Worklist(**facts | changes)


@pytest.fixture
def written(tmp_path):
    def write(worklist):
        write_worklist(tmp_path / "w.html", worklist)
        return (tmp_path / "w.html").read_text(encoding="utf-8")

    return write


def test_every_image_has_its_row(written):
    text = written(make(["a.png", "b/c.png", "d.png"], failures="failed.csv", unreadable=4))
    first, second, _ = Rows(text).rows
    assert first["links"] == ["heatmaps/a.png.png", "file:///archive/a.png"]
    assert second["pictures"] == ["worklist/b/c.png.jpg"]
    assert first["text"] == "1/archive/a.pngscore 2 · percentile 100 · p 0.01 · called abnormal"
    assert second["text"].endswith("/archive/b/c.pngscore 1.5 · percentile 50 · p 0.51")
    assert (first["css"], second["css"]) == ("abnormal", None)
    assert "0.125<span" in text and "</span>1.5 or more" in text
    assert "<b>4</b>" in text and '<a href="failed.csv">could not be read</a>' in text and "By &lt;b&gt;." in text
    assert "research tool, not a medical device" in text


@pytest.mark.parametrize("name", ODD)
def test_names_are_escaped_and_links_find_their_files(name, written):
    text = written(make([name]))
    (row,) = Rows(text).rows
    addresses = [*row["pictures"], *row["links"]]
    expected = [f"worklist/{name}.jpg", f"heatmaps/{name}.png", f"file:///archive/{name}"]
    assert [unquote_to_bytes(a) for a in addresses] == [e.encode(errors="surrogateescape") for e in expected]
    assert not set("".join(addresses)) & set("<>\"'&?# ")
    assert f"/archive/{name}".replace("\udcff", "?") in row["text"] and text.count("<script") == 1


def test_nothing_comes_from_outside_and_only_our_script_runs(written):
    text = written(make(["a.png"]))
    policy = re.search(r'content="(default-src[^"]+)"', text)[1]
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ") and f"script-src 'sha256-{digest}'" in policy
    assert "img-src 'self' file:;" in policy and "http" not in text.replace("http-equiv", "")


def test_what_is_unknown_is_left_out(written):
    table = ScoreTable(("a.png", "b.png"), None, {"pred_score": np.array([2.0, 1.0])})
    text = written(make(["a.png", "b.png"], table=table, percentiles=None, scale=None, large=[None] * 2))
    first, _ = Rows(text).rows
    assert first["text"] == "1/archive/a.pngscore 2"
    assert first["links"] == ["file:///archive/a.png"] * 2
    assert "no maps" in text and "called abnormal" not in text and "could not be read" not in text


def test_pictures_that_were_not_drawn_are_no_broken_links(written):
    row = Rows(written(make(["a.png"], small=[None], large=[None]))).rows[0]
    assert row["pictures"] == [] and row["links"] == ["file:///archive/a.png"] and "not drawn" in row["text"]


def test_thousands_of_rows_stay_a_page_that_opens(written):
    names = [f"export 2024/study-{i // 40:04d}/series-{i % 40}/IMG_{i:06d}.png" for i in range(5000)]
    text = written(make(names))
    assert len(Rows(text).rows) == 5000 and len(text) < 3e6
    assert text.count('loading="lazy"') == 5000 and "content-visibility: auto" in text and "data:" not in text


def test_no_more_rows_than_a_browser_can_show(written, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 2)
    text = written(make(["a.png", "b.png", "c.png"]))
    assert len(Rows(text).rows) == 2 and "first 2 images of 3; scores.csv holds all" in text
