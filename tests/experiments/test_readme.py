"""The README's table of results is what the command prints from the stored scores, and its example runs."""

import re
from pathlib import Path

import pytest

from medad.errors import UserError
from medad.experiments.overview import MARKS, overview, put_into

ROOT = Path(__file__).parents[2]


def test_readme_shows_what_is_stored():
    assert overview(ROOT / "docs" / "results") in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(phantoms, tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    quick = example.replace('"ddad", ', '"ddad", "tiny", jobs=1, ')
    assert quick != example
    monkeypatch.chdir(tmp_path)
    Path("images").symlink_to(phantoms)
    exec(quick, {})
    assert "(16, 64, 64)" in capsys.readouterr().out and Path("runs/mine/weights.safetensors").exists()


def test_only_what_stands_between_the_marks_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("\n".join(["before", MARKS[0], "old", MARKS[1], "after"]), encoding="utf-8")
    put_into(page, "new")
    assert page.read_text(encoding="utf-8").splitlines() == ["before", MARKS[0], "new", MARKS[1], "after"]
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(UserError, match="has no lines"):
        put_into(page, "new")
    with pytest.raises(UserError, match="no such file"):
        put_into(tmp_path / "other.md", "new")
