"""The README's table of results is what the command prints from the stored scores, and its example runs."""

import re
from pathlib import Path

from medad.experiments.pages.overview import overview

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
