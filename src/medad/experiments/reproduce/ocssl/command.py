"""``medad reproduce ocssl``: compute what is not stored, write and print the page."""

from collections.abc import Sequence
from pathlib import Path

from medad.experiments.reproduce.ocssl.curves import PICTURE, compute_curves
from medad.experiments.reproduce.ocssl.page import page, pictures
from medad.experiments.reproduce.ocssl.rows import ROWS
from medad.experiments.reproduce.ocssl.scoring import compute
from medad.experiments.reproduce.ocssl.settings import SETTINGS
from medad.experiments.reproduce.ocssl.stored import FOLDER
from medad.files import replacing
from medad.ownership import claimed

PAGE = f"{FOLDER}.md"


def reproduce_ocssl(data: Path, out: Path, jobs: int | None = None, only: Sequence[str] = ()) -> str:
    """Fit and score every row of the table that ``out/ocssl`` lacks; return the page, written as ``out/ocssl.md``.

    Parameters
    ----------
    data : Path
        Folder of data sets.
    out : Path
        Folder of the results.
    jobs : int, optional
        Processes; all cores by default.
    only : sequence of str
        Settings to compute; all by default.
    """
    with claimed(out, "reproduce", (f"{FOLDER}/", PAGE, PICTURE)):
        settings = [setting for setting in SETTINGS if not only or setting.name in only]
        compute(settings, ROWS, data, out, jobs)
        if not only:
            compute_curves(data, out, out, jobs)
        text = page(out)
        for name, content in {PAGE: text.encode(), **pictures(out)}.items():
            with replacing(out / name) as partial:
                partial.write_bytes(content)
    return text
