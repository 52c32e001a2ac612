"""``medad results``: which pages are printed, what becomes of the files, and what is said."""

from pathlib import Path

import pytest

from medad.cli.commands import main
from medad.experiments.pages import results as command
from medad.experiments.pages.registry import PAGES, Page

ROOT = Path(__file__).parents[3]
MARKS = ("<!-- a -->", "<!-- b -->")


def fail(sources):
    raise ValueError("a bug")


ROWS = {
    page.name: page
    for page in (
        Page("plain", "docs/plain.md", "brain_tumor/*/seed*", lambda s: "# Plain\n", lambda s: {"plain.png": b"png"}),
        Page("lacking", "docs/lacking.md", "other/*/seed*", lambda s: "# Lacking\n"),
        Page("pictured", "docs/pictured.md", "*", lambda s: f"# {s.images('some').name}\n", images="some"),
        Page("table", "README.md", "*", lambda s: "new", marks=MARKS),
    )
}


@pytest.fixture
def call(results, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "PAGES", tuple(ROWS.values()))
    monkeypatch.delenv("MEDAD_DATA", raising=False)

    def call(*argv):
        status = main(["results", "--stored", str(results), "--out", str(tmp_path / "out"), *argv])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    return call


def test_every_page_of_ours_has_one_row():
    names = [page.name for page in PAGES]
    assert len(set(names)) == len(names)
    assert all((ROOT / page.file).is_file() for page in PAGES)
    shown = {str(file.relative_to(ROOT)) for file in (ROOT / "docs" / "results").glob("**/*.md")}
    of_studies = {
        f"docs/results/{name}.md" for name in ("audit_speed", "coverage", "demo", "rank_speed")
    }  # each takes minutes to compute
    printed = {page.file for page in PAGES} | of_studies
    beside = {name for name in shown if name.count("/") > 2 and "/reproduce/" not in name}  # notes and sections
    assert shown - beside <= printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_every_page_needs_is_stored(page):
    assert any((ROOT / "docs" / "results").glob(page.needs))


def test_pages_are_printed_and_what_changed_is_said(call, tmp_path):
    left = [
        "docs/lacking.md: left as it is: ",
        "docs/pictured.md: left as it is: it needs the images of some; name the folder of data sets by --data or",
        "README.md: left as it is: ",
    ]
    status, out, err = call()
    assert (status, out) == (0, ["docs/plain.md: changed"])
    assert [line.startswith(start) for line, start in zip(err, left, strict=True)] == [True] * 3
    assert (tmp_path / "out" / "docs" / "plain.md").read_text() == "# Plain\n"
    assert (tmp_path / "out" / "docs" / "plain.png").read_bytes() == b"png"
    assert call("plain") == (0, ["docs/plain.md: as it was"], [])
    (tmp_path / "out" / "docs" / "plain.png").write_bytes(b"older")
    assert call("plain") == (0, ["docs/plain.md: changed"], [])
    assert not list(tmp_path.glob("out/**/*.partial"))


def test_images_are_looked_for_where_the_user_says(call, tmp_path, monkeypatch):
    status, _, err = call("pictured", "--data", str(tmp_path / "data"))
    assert status == 2 and "some: no such folder, and the images are needed" in err[0]
    (tmp_path / "data" / "some").mkdir(parents=True)
    assert call("pictured", "--data", str(tmp_path / "data")) == (0, ["docs/pictured.md: changed"], [])
    monkeypatch.setenv("MEDAD_DATA", str(tmp_path / "data"))
    assert call("pictured") == (0, ["docs/pictured.md: as it was"], [])


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["nonsense"], "nonsense: no such page; there are plain, lacking, pictured, table"),
        (["lacking"], "lacking: "),
        (["plain", "pictured"], "pictured: it needs the images of some"),
        (["--stored", "src"], "src: no such folder"),
        (["--stored", "."], ".: holds no stored results (DATASET/METHOD/seedN); name the folder with --stored"),
    ],
)
def test_mistakes_are_said_in_one_line(call, tmp_path, monkeypatch, argv, said):
    monkeypatch.chdir(tmp_path / "results" / "brain_tumor")
    status, out, err = call(*argv)
    assert (status, out, len(err)) == (2, [], 1)
    assert err[0].startswith(f"medad: error: {said}")
    assert not (tmp_path / "out").exists()


def test_a_page_stays_when_its_printer_fails_or_its_place_is_anothers(call, tmp_path, monkeypatch):
    file = tmp_path / "out" / "docs" / "plain.md"
    file.parent.mkdir(parents=True)
    file.write_text("# Mine\n")
    status, _, err = call("plain")
    assert status == 2 and "holds something else than would be written" in err[0]
    file.unlink()
    file.with_suffix(".png").write_bytes(b"mine")
    status, _, err = call("plain")
    assert status == 2 and "plain.png: not known to be of" in err[0]
    assert [path.name for path in file.parent.iterdir()] == ["plain.png"]
    monkeypatch.setattr(command, "PAGES", (Page("plain", "docs/plain.md", "*", fail),))
    file.write_text("# Plain\n")
    with pytest.raises(ValueError, match="a bug"):
        call("plain")
    assert file.read_text() == "# Plain\n"


def test_only_what_stands_between_the_marks_is_replaced(call, tmp_path):
    page = tmp_path / "out" / "README.md"
    page.parent.mkdir()
    page.write_text("\n".join(["before", MARKS[0], "old", MARKS[1], "after"]))
    assert call("table") == (0, ["README.md: changed"], [])
    assert page.read_text().splitlines() == ["before", MARKS[0], "new", MARKS[1], "after"]
    page.write_text("no marks")
    status, _, err = call("table")
    assert status == 2 and "README.md: has no lines <!-- a --> and <!-- b -->" in err[0]
    assert page.read_text() == "no marks"
