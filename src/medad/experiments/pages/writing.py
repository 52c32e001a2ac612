"""Pages take the place of earlier ones whole or not at all, and of nothing else."""

from pathlib import Path

from medad.errors import UserError
from medad.experiments.pages.registry import Page, Sources
from medad.files import replacing
from medad.ownership import claim_file


def replace_page(page: Page, sources: Sources, out: Path) -> bool:
    """Print a page and its figures and put them below `out`; return whether anything changed.

    Raises
    ------
    UserError
        If it cannot be printed, or its file holds anything that does not begin with the same line.
    """
    file, text, pictures = out / page.file, page.text(sources), page.pictures(sources)
    if page.marks is None:
        claim_file(file, text.partition("\n")[0])
    else:
        text = put_between(page.marks, file, text)
    files = {file.parent / name: content for name, content in pictures.items()} | {file: text.encode()}
    foreign = [name for name in files if name.is_symlink() or (name.exists() and not file.exists())]
    if foreign:
        raise UserError(f"{foreign[0]}: not known to be of {file}; move it away or choose another `out`")
    return any([_write(name, content) for name, content in files.items()])  # all of them, the page last


def put_between(marks: tuple[str, str], file: Path, text: str) -> str:
    """Return what `file` holds, with `text` in place of what stands between the lines `marks`.

    Raises
    ------
    UserError
        If the file lacks the marks.
    """
    before, _, rest = file.read_text(encoding="utf-8").partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not end:
        raise UserError(f"{file}: has no lines {marks[0]} and {marks[1]} for a table to stand between")
    return f"{before}{marks[0]}\n{text}\n{marks[1]}{after}"


def _write(file: Path, content: bytes) -> bool:
    """Write a file unless it holds that already; return whether it changed."""
    if file.exists() and file.read_bytes() == content:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial:
        partial.write_bytes(content)
    return True
