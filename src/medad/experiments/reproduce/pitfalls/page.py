"""The page of the study, in Markdown."""

from collections.abc import Iterator
from pathlib import Path

from medad.experiments.printed import printed_by
from medad.experiments.reproduce.pitfalls.background import RULE
from medad.experiments.reproduce.pitfalls.experiments import TEXTURES, TRAINED
from medad.experiments.reproduce.pitfalls.findings import closest, findings
from medad.experiments.reproduce.pitfalls.further import curves, error_finding, models_table
from medad.experiments.reproduce.pitfalls.pictures import picture, picture_name
from medad.experiments.reproduce.pitfalls.stored import FOLDER, Study, studies
from medad.reports.markdown import markdown_table

TITLE = "# Where residuals are blind"
HOW = (
    "After Meissen, Wiestler, Kaissis and Rueckert, *On the Pitfalls of Using the Residual Error as Anomaly Score* "
    "(MIDL 2022). A disk of radius 20 is put into the foreground of a normal image; the reconstruction is the normal "
    "image behind a Gaussian blur, which stands for an autoencoder that knows what is normal and is not perfect; the "
    "residual is the absolute difference. AP (average precision) is over all pixels of an image, the mean over images. "
    f"Places are the same in all cells. {RULE} Images without such a background are left out. The paper looked at "
    "slices of MOOD's brains, other images than these, so that a statement may hold there and not here. Blurs are in "
    "pixels of 256 x 256: images whose files are smaller have lost their finest detail already, and small blurs take "
    "less from them. How much faster this is than cell by cell: `python -m benchmarks.pitfalls`."
)
MEANING = (
    "What the paper states (figures read off its heat map), and what is found here: *yes* where our figures agree with "
    "it, within 0.1 where the statement has a figure, at the sigma of our grid that is nearest."
)


def page(results: Path, command: str = "medad results pitfalls") -> str:
    """Return the page, from the cells stored below ``results/DATASET/pitfalls``."""
    parts = [TITLE, f"{printed_by(command)} from the cells in `DATASET/{FOLDER}/`.", HOW, MEANING]
    return "\n\n".join([*parts, *(part for study in studies(results) for part in _section(study))]) + "\n"


def pictures(results: Path) -> dict[str, bytes]:
    """Return the figures of the page, PNG files by name."""
    return {picture_name(study.dataset, study.scale): picture(study) for study in studies(results)}


def _section(study: Study) -> Iterator[str]:
    yield f"## {study.dataset}, {study.scale}"
    yield _made(study)
    yield f"![Average precision by anomaly and blur, {study.dataset}]({picture_name(study.dataset, study.scale)})"
    models = curves(study.grids)
    whole = study.scale == "paper"  # what is shortened is not put beside published figures
    every = [*findings(study.grids), *([error_finding(models)] if models and whole else [])]
    if every:
        rows = [[one.paper, one.found, "yes" if one.holds else "**no**"] for one in every]
        yield f"{sum(one.holds for one in every)} of {len(every)} statements hold."
        yield markdown_table([["the paper", "here", "holds"], *rows])
    if {"pitfalls1", "pitfalls2"} <= study.grids.keys():
        yield "The intensity whose disks are found most like a texture: the least mean difference of AP over sigma."
        yield _closest(study)
    if models:
        yield _trained(study)
        yield models_table(models, whole)


def _trained(study: Study) -> str:
    recipe = study.about[TRAINED]["training"]
    short = "" if study.scale == "paper" else " **Trainings are shortened: their figures say nothing of the paper's.**"
    return (
        f"Trained models (`{TRAINED}`): {recipe['steps']} steps of {recipe['batch_size']} images in "
        f"{recipe['precision']}.{short} They are given the normal image (3.1) or the one with the disk (3.2). Error: "
        "mean absolute residual; AP: mean over intensities; closest sigma: of the blur in experiment 1 whose curve "
        "over intensities is most alike. The weights are those of the last step, the paper's those with the best AP on "
        "disks in a validation set."
    )


def _made(study: Study) -> str:
    about = next(iter(study.about.values()))
    images = about["images"]
    told = (
        f"{images['used']} normal images of {images['size']} x {images['size']} pixels, {images['without_background']} "
        "more without a background left out"
    )
    commands = ", ".join(
        f"`{name}` ({' x '.join(map(str, grid.ap.shape))} cells)" for name, grid in study.grids.items()
    )
    short = "" if study.scale == "paper" else " **A coarser grid and fewer images than the paper's.**"
    return f"Computed on {_dates(study)} by `medad reproduce` {commands}: {told}.{short}"


def _dates(study: Study) -> str:
    return " and ".join(sorted({str(about["date"]) for about in study.about.values()}))


def _closest(study: Study) -> str:
    disks, textures = study.grids["pitfalls1"], study.grids["pitfalls2"]
    rows = [["texture", "closest intensity", "mean difference of AP"]]
    for name, curve in zip(TEXTURES, textures.ap, strict=True):
        row = closest(curve, disks.ap)
        rows.append([name, f"{disks.intensities[row]:.2f}", f"{abs(disks.ap[row] - curve).mean():.3f}"])
    return markdown_table(rows)
