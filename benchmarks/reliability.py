"""The page on reliability, whose tables commands print between marks."""

from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "robust"
PAGE = HERE.parent / "docs" / "reliability.md"


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands in `page` between the marks of `name`."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{page}: the marks {begin} and {end} are missing")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
