"""``medad reproduce pitfalls1``, ``pitfalls1b``, ``pitfalls2``, ``pitfalls3``, ``pitfalls_further``."""

from pathlib import Path

from medad.cores import cores
from medad.errors import UserError
from medad.experiments.reproduce.pitfalls.computing import compute
from medad.experiments.reproduce.pitfalls.experiments import BLURRED, NAMES, SCALES, Task
from medad.experiments.reproduce.pitfalls.images import Heads, read_heads
from medad.experiments.reproduce.pitfalls.page import page, pictures
from medad.experiments.reproduce.pitfalls.pictures import picture_name
from medad.experiments.reproduce.pitfalls.stored import FOLDER
from medad.experiments.reproduce.pitfalls.trained import Training, models
from medad.files import replacing
from medad.ownership import claimed
from medad.workflows.options import TrainOptions
from medad.workflows.splits import data_name

PAGE = f"{FOLDER}.md"


def reproduce_pitfalls(
    name: str, data: Path, out: Path, options: TrainOptions, jobs: int | None = None, train: bool = True
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
    options : TrainOptions
        Preset ``quick`` or ``paper``, see `SCALES`; precision and device of trainings.
    jobs : int, optional
        Number of threads; one per core by default.
    train : bool
        Whether anything is computed, or only printed.

    Raises
    ------
    UserError
        If the images do not allow it, or there is nothing to print.
    """
    dataset, scale = data_name(data), options.preset
    folder, picture = f"{dataset}/{FOLDER}", picture_name(dataset, scale)
    heads = read_heads(data, SCALES[scale].images, SCALES[scale].size) if train else None
    training = Training(data, out / folder / f"trainings-{scale}", options, jobs or cores())
    with claimed(out, "reproduce", (f"{folder}/", PAGE, picture)):
        if heads is not None:
            for part in NAMES[name]:
                compute(part, heads, _task(part, heads, training), out / folder / f"{part}-{scale}.csv", training.jobs)
        figures = pictures(out)
        if picture not in figures:
            raise UserError(f"{out}: holds nothing of {dataset} at scale {scale}; leave out `print_only`")
        text = page(out, f"medad reproduce {name}")
        for file, content in {PAGE: text.encode(), picture: figures[picture]}.items():
            with replacing(out / file) as partial:
                partial.write_bytes(content)
    return text


def _task(name: str, heads: Heads, training: Training) -> Task:
    scale = SCALES[training.options.preset]
    return BLURRED[name](heads.pixels, scale) if name in BLURRED else models(heads, scale, training)
