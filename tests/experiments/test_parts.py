"""The parts of experiments stand above one another: pages, studies, reproduce, grid, and what they share."""

import ast
from pathlib import Path

import pytest

import medad.experiments

ROOT = Path(medad.experiments.__file__).parent
ORDER = ("", "grid", "reproduce", "studies", "pages")  # each may import those before it
PAGES = (
    *("audit", "backbones", "dicom", "experiments", "fidelity", "methods", "overview", "phantom", "promises"),
    *("refinement", "select", "slides", "standard", "steady", "stress", "synthetic"),
)
ARE_PAGES = {f"pages.{name}" for name in PAGES}
FILES = sorted(file.relative_to(ROOT) for file in ROOT.rglob("*.py"))


def imported(file):
    """Yield what a file imports from experiments: ``"part.file"``, of what is shared ``"file"``."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("medad.experiments"):
            inside = node.module.removeprefix("medad.experiments").strip(".")
            yield from ([inside] if (ROOT / inside.replace(".", "/")).with_suffix(".py").is_file() else
                        [f"{inside}.{alias.name}".strip(".") for alias in node.names])  # fmt: skip


def part(name):
    first, _, rest = name.partition(".")
    return first if rest else ""


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_run_downward_and_no_page_imports_another(file):
    own = ".".join(file.with_suffix("").parts)
    for name in imported(file):
        assert ORDER.index(part(name)) <= ORDER.index(part(own)), name
        assert not (own in ARE_PAGES and name in ARE_PAGES), name


def test_all_pages_are_known_here():
    mechanism = {"__init__", "registry", "results", "verdict", "writing", "archive_lists"}
    assert {f"pages.{file.stem}" for file in (ROOT / "pages").glob("*.py") if file.stem not in mechanism} == ARE_PAGES
