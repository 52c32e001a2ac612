"""``medad reproduce pitfalls1``, ``pitfalls1b``, ``pitfalls2``, ``pitfalls_further``."""

from pathlib import Path

from medad.cores import cores
from medad.errors import UserError
from medad.experiments.reproduce.pitfalls.computing import compute
from medad.experiments.reproduce.pitfalls.experiments import EXPERIMENTS, NAMES, SCALES
from medad.experiments.reproduce.pitfalls.images import read_heads
from medad.experiments.reproduce.pitfalls.page import page, pictures
from medad.experiments.reproduce.pitfalls.pictures import picture_name
from medad.experiments.reproduce.pitfalls.stored import FOLDER
from medad.files import replacing
from medad.ownership import claimed
from medad.workflows.splits import data_name

PAGE = f"{FOLDER}.md"


def reproduce_pitfalls(
    name: str, data: Path, out: Path, scale: str, jobs: int | None = None, train: bool = True
) -> str:
    """Compute the cells that `out` lacks, write the page and its figures, and return the page.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    data : Path
        A data set or a folder of images, see :func:`medad.experiments.reproduce.pitfalls.images.normal_images`.
    out : Path
        Folder of ``DATASET/pitfalls/*.csv``, ``pitfalls.md`` and its figures.
    scale : {'quick', 'paper'}
        See `SCALES`.
    jobs : int, optional
        Number of threads; one per core by default.
    train : bool
        Whether anything is computed, or only printed.

    Raises
    ------
    UserError
        If the images do not allow it, or there is nothing to print.
    """
    dataset = data_name(data)
    folder, picture = f"{dataset}/{FOLDER}", picture_name(dataset, scale)
    size = SCALES[scale]
    heads = read_heads(data, size.images, size.size) if train else None
    with claimed(out, "reproduce", (f"{folder}/", PAGE, picture)):
        for part in NAMES[name] if heads else ():
            task = EXPERIMENTS[part](heads.pixels, size)
            compute(part, heads, task, out / folder / f"{part}-{scale}.csv", jobs or cores())
        if picture not in pictures(out):
            raise UserError(f"{out}: holds nothing of {dataset} at scale {scale}; leave out `print_only`")
        text = page(out, f"medad reproduce {name}")
        for file, content in {PAGE: text.encode(), picture: pictures(out)[picture]}.items():
            with replacing(out / file) as partial:
                partial.write_bytes(content)
    return text
