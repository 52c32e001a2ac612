"""scores.csv reads back as it was written, and broken files are named."""

import csv

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medad.errors import UserError
from medad.evaluation.scores import ScoreTable, read_scores, renumbered, write_scores

# Any text a file system may hold, lone surrogates of undecodable bytes included.
letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
names = st.text(letters | st.sampled_from("\udc80\udcff"), min_size=1)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw):
    """Any valid table."""
    paths = tuple(draw(st.lists(names, unique=True, min_size=1, max_size=8)))
    n = len(paths)
    column = st.lists(finite, min_size=n, max_size=n).map(np.array)
    labels = st.none() | st.lists(st.integers(0, 1), min_size=n, max_size=n).map(np.array)
    kinds = st.none() | st.lists(st.text(letters), min_size=n, max_size=n)
    columns = {name: draw(column) for name in ("a_rec_1", "a_rec_2", "pred_score", "r_dual")}
    kind, patient = (None if drawn is None else tuple(drawn) for drawn in (draw(kinds), draw(kinds)))
    return ScoreTable(
        paths, draw(labels), columns, kind, draw(labels), patient, draw(st.none() | column), draw(st.none() | column)
    )


def same(a, b):
    return a is b is None or np.array_equal(a, b)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_round_trip_is_exact(tmp_path, table):
    write_scores(tmp_path / "scores.csv", table)
    back = read_scores(tmp_path / "scores.csv")
    assert back.image_path == table.image_path
    assert (back.kinds, back.patients) == (table.kinds, table.patients)
    assert same(back.gt_label, table.gt_label)
    assert same(back.pred_label, table.pred_label)
    assert same(back.p_value, table.p_value) and same(back.q_value, table.q_value)
    assert back.columns.keys() == table.columns.keys()
    assert all(np.array_equal(back.columns[name], table.columns[name]) for name in table.columns)
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_columns_stand_in_the_documented_order(tmp_path):
    table = ScoreTable(
        ("a.png", "b, c.png"),
        np.array([0, 1]),
        {"r_dual": np.array([0.1, 1 / 3]), "pred_score": np.array([0.1, 1 / 3])},
        ("", "glioma"),
        np.array([0, 1]),
        ("1", ""),
        np.array([0.5, 0.05]),
        np.array([0.5, 0.1]),
    )
    write_scores(tmp_path / "s.csv", table)
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    known = ["pred_label", "kind", "patient", "p_value", "q_value"]
    assert rows[0] == ["image_path", "gt_label", "pred_score", "r_dual", *known]
    assert rows[2] == ["b, c.png", "1", "0.3333333333333333", "0.3333333333333333", "1", "glioma", "", "0.05", "0.1"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a table"),
        ("a,b\n1,2\n", "one column image_path"),
        ("image_path,gt_label\na,0\n", "one column pred_score"),
        ("image_path,gt_label,pred_score\na,0\n", "row 2 has 2 fields"),
        ("image_path,gt_label,pred_score\na,0,high\n", "high"),
        ("image_path,gt_label,pred_score,r\na,0,1,2\nb,0,1,nan\n", "row 3: r is nan, not a finite number"),
        ("image_path,gt_label,pred_score\na,0,-inf\n", "row 2: pred_score is -inf"),
        ("image_path,gt_label,pred_score\na,0,1\nb,,1\n", "label is 0 or 1"),
        ("image_path,gt_label,pred_score\na,7,1\n", "not '7'"),
        ("image_path,gt_label,pred_score\na,0,1\na,1,1\n", "'a' occurs twice"),
        ('image_path,gt_label,pred_score\n"a,0,1\n', "not a table"),
    ],
)
def test_broken_files_are_the_users_mistake(tmp_path, text, fault):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=fault) as error:
        read_scores(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere.csv.*No such file"):
        read_scores(tmp_path / "nowhere.csv")


def test_spreadsheet_byte_order_mark_is_ignored(tmp_path):
    (tmp_path / "s.csv").write_bytes(b"\xef\xbb\xbfimage_path,gt_label,pred_score\r\na,0,1\r\n")
    assert read_scores(tmp_path / "s.csv").image_path == ("a",)


def test_members_make_one_row_and_pred_score_knows_its_name():
    columns = {"a_rec_1": [1, 2], "a_rec_2": [3, 4], "a_rec_ensemble": [2, 3], "pred_score": [2, 3]}
    table = ScoreTable(("a", "b"), None, {name: np.array(x, float) for name, x in columns.items()})
    assert {name: row.shape for name, row in table.rows.items()} == {
        "a_rec": (2, 2),
        "a_rec_ensemble": (1, 2),
        "pred_score": (1, 2),
    }
    assert table.primary == "a_rec_ensemble"
    assert list(table.shown_rows) == ["a_rec", "a_rec_ensemble"]


def test_a_score_of_its_own_is_shown():
    table = ScoreTable(("a", "b"), None, {"pred_score": np.arange(2.0), "other": np.ones(2)})
    assert table.primary == "pred_score"
    assert list(table.shown_rows) == ["pred_score", "other"]


def test_a_score_beside_its_members_is_refused():
    table = ScoreTable(("a",), None, {name: np.ones(1) for name in ("pred_score", "x", "x_1")})
    with pytest.raises(ValueError, match="'x' and 'x_1'"):
        table.rows  # noqa: B018


def test_a_subset_keeps_the_order_that_is_asked_for():
    kinds, labels = ("", "cyst", "glioma"), np.array([0, 1, 1])
    table = ScoreTable(("a", "b", "c"), labels, {"pred_score": np.arange(3.0)}, kinds, 1 - labels, ("1", "2", ""))
    part = table.subset([2, 0])
    assert part.image_path == ("c", "a") and part.kinds == ("glioma", "") and part.patients == ("", "1")
    assert part.gt_label.tolist() == [1, 0] and part.pred_label.tolist() == [0, 1]
    assert {name: column.tolist() for name, column in part.columns.items()} == {"pred_score": [2.0, 0.0]}
    bare = ScoreTable(table.image_path, None, table.columns).subset(np.array([1]))
    assert bare.image_path == ("b",) and bare.gt_label is bare.kinds is bare.pred_label is None


def test_patients_get_names_of_their_own():
    assert renumbered(["Smith", "", "Jones", "Smith"]) == ("1", "", "2", "1")


def test_inconsistent_tables_are_refused():
    with pytest.raises(ValueError, match="length"):
        ScoreTable(("a",), None, {"pred_score": np.ones(2)})
    with pytest.raises(ValueError, match="pred_score"):
        ScoreTable(("a",), None, {"r_dual": np.ones(1)})
    with pytest.raises(ValueError, match="none of"):
        ScoreTable(("a",), None, {"pred_score": np.ones(1), "kind": np.ones(1)})
