"""The README's table of results is what the command prints from the stored scores."""

from pathlib import Path

from medad.experiments.overview import overview

ROOT = Path(__file__).parents[2]


def test_readme_shows_what_is_stored():
    assert overview(ROOT / "docs" / "results") in (ROOT / "README.md").read_text(encoding="utf-8")
