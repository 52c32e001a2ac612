"""``medad results``: print the pages of results anew from the stored scores."""

from collections.abc import Sequence
from pathlib import Path

from medad.errors import UserError
from medad.experiments.command import existing
from medad.experiments.pages.registry import PAGES, Page, Sources
from medad.experiments.pages.writing import replace_page
from medad.experiments.stored import RUNS
from medad.parser_messages import typed_names
from medad.workflows.notes import say


def print_pages(names: Sequence[str], stored: Path, out: Path, data: Path | None = None) -> None:
    """Print pages, and say of each whether it changed; one is replaced when its printer has ended well.

    Parameters
    ----------
    names : sequence of str
        Names of pages; all by default. One of all that cannot be printed from what is there is left as it is.
    stored : Path
        Root of the stored results.
    out : Path
        Folder that holds, or is to hold, ``docs/`` and ``README.md``.
    data : Path, optional
        Folder of data sets, for pages that look at images.

    Raises
    ------
    UserError
        If there is no such page or nothing stored, a page that was named cannot be printed, or its file is another's.
    """
    pages = _chosen(names)
    if not any(existing(stored).glob(f"*/{RUNS}")):
        raise UserError(f"{stored}: holds no stored results (DATASET/METHOD/seedN); name the folder with `stored`")
    sources = Sources(stored, data)
    reasons = {page.name: _lacking(page, sources, out) for page in pages}
    if refused := [name for name in names if reasons[name]]:
        raise UserError(f"{refused[0]}: {reasons[refused[0]]}")
    for page in pages:
        if reasons[page.name]:
            say(typed_names(f"{page.file}: left as it is: {reasons[page.name]}"))
        else:
            print(f"{page.file}: {'changed' if replace_page(page, sources, out) else 'as it was'}", flush=True)


def _chosen(names: Sequence[str]) -> list[Page]:
    pages = {page.name: page for page in PAGES}
    for name in names:
        if name not in pages:
            raise UserError(f"{name}: no such page; there are {', '.join(pages)}")
    return [pages[name] for name in dict.fromkeys(names or pages)]


def _lacking(page: Page, sources: Sources, out: Path) -> str:
    """Return why a page cannot be printed, empty if it can."""
    if not any(sources.stored.glob(page.needs)):
        return f"{sources.stored / page.needs}: nothing is stored there"
    if page.images and sources.data is None:
        return f"it needs the images of {page.images}; name the folder of data sets by `data` or MEDAD_DATA"
    if page.images and not sources.images(page.images).is_dir():
        return f"{sources.images(page.images)}: no such folder, and the images are needed"
    if page.marks and not (out / page.file).is_file():
        return f"{out / page.file}: no such file to put a table into"
    return ""
