import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from medad.version import __version__  # noqa: E402

project = "medad"
copyright = "the medad authors"
version = release = __version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
exclude_patterns = [
    "_build",
    "results/*/notes.md",
    "results/*/*/**",
    "results/brain_tumor/*.md",
]  # what pages are made of
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell types
numpydoc_show_class_members = False  # autodoc shows them

html_theme = "furo"
html_title = f"medad {version}"
html_show_sphinx = False
