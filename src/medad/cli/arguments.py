"""What each command is told: its arguments, and what the help says of them."""

from argparse import SUPPRESS
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

import docstring_parser
from jsonargparse import ArgumentParser

from medad.cli.errors import ConfigFile
from medad.synthesis.registry import SYNTHESES
from medad.workflows.options import RUNS, Precision, Preset, TrainOptions

# Options of training that `select` takes for every method of its shortlist, and `rank` for its own.
OF_SELECT = ("preset", "size", "channels", "fit", "intensity", "seed", "precision", "device", "jobs", "options")
OF_RANK = ("method", *OF_SELECT)


def add_data(parser: ArgumentParser) -> None:
    """Let the user say where the data set and its split file lie."""
    parser.add_argument("data", type=Path, help="folder of images with data.json, manifest.csv or folders per split")
    parser.add_argument("--split", type=Path | None, help="split file to use instead of the folder's own")


def add_machine(parser: ArgumentParser) -> None:
    """Let the user say what computes."""
    parser.add_argument("--device", default="auto", help="auto (CUDA when there), cpu, cuda or cuda:N")
    parser.add_argument("--jobs", type=int | None, help="number of processes; all cores by default")


def add_scoring(parser: ArgumentParser) -> None:
    """Let the user say what scores, and how exactly."""
    scoring = "precision of scoring, whatever that of the training was: bf16 is faster and less exact"
    parser.add_argument("--precision", type=Precision, default="fp32", help=scoring)
    add_machine(parser)


def add_training(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad train`` and ``medad run``."""
    add_data(parser)
    parser.add_argument("--out", type=Path | None, help="run folder; runs/DATA-METHOD by default")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")
    parser.add_argument("--config", action=ConfigFile, help="YAML file of options, as --print_config prints it")
    add_options(parser, [option.name for option in fields(TrainOptions)])


def add_options(parser: ArgumentParser, names: Collection[str], **defaults: Any) -> None:
    """Let the user give the options of training that are named."""
    helps = {p.arg_name: p.description for p in docstring_parser.parse(TrainOptions.__doc__ or "").params}
    types = get_type_hints(TrainOptions)
    usual: dict[str, Any] = {
        option.name: {} if option.name == "options" else option.default for option in fields(TrainOptions)
    }
    for name in names:
        default = (usual | defaults)[name]
        parser.add_argument(flag(name), type=types[name], default=default, help=helps[name])


def flag(name: str) -> str:
    """Return the option `name` as it is typed."""
    return f"--{name.replace('_', '-')}"


def add_evaluate(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad evaluate``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    add_data(parser)
    parser.add_argument("--out", type=Path | None, help="folder of the results; RUN/evaluate-NAME by default")
    add_scoring(parser)


def add_predict(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad predict``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("inputs", type=Path, nargs="+", help="image files, and folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder of scores and heat maps")
    add_promise(parser)
    within = "view or manufacturer, as DICOM files tell: judge each image by those of --calibration that share it"
    parser.add_argument("--by", type=str | None, help=within)
    add_scoring(parser)


def add_promise(parser: ArgumentParser) -> None:
    """Let the user say on which normal images a promise is made, and which."""
    on = "name of the set of normal images, see medad calibrate; those held out from training by default"
    parser.add_argument("--calibration", type=str | None, help=on)
    rate = "share of normal images that may be called abnormal; that of the run's threshold, 0.05, by default"
    parser.add_argument("--false-alarms", type=float | None, help=rate)


def add_check(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad check``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("normals", type=Path, nargs="+", help="images of here and now that are known to be normal")
    add_promise(parser)
    add_machine(parser)


def add_accept(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad accept``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    add_data(parser)
    parser.add_argument("--out", type=Path | None, help="folder of the page; RUN/accept-NAME by default")
    add_promise(parser)
    add_machine(parser)


def add_stress(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad stress``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    add_data(parser)
    parser.add_argument("--out", type=Path | None, help="folder of the page; RUN/stress-NAME by default")
    parser.add_argument("--images", type=int, default=40, help="number of normal images that anomalies are put into")
    parser.add_argument("--seed", type=int, default=0, help="chooses the images and the places")
    parser.add_argument("--beside", type=Path | None, help="stress.json of another run, to be compared with")
    add_machine(parser)


def add_watch(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad watch``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("cases", type=Path, nargs="+", help="images of a day, normal or not, and folders of them")
    parser.add_argument("--name", type=str, default="local", help="of the place that they are from")
    parser.add_argument("--date", type=str | None, help="of the cases, such as 2026-03-01; today by default")
    add_machine(parser)


def add_calibrate(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad calibrate``."""
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("normals", type=Path, nargs="+", help="normal images that it has not learned from, and folders")
    parser.add_argument("--name", type=str, default="local", help="of this set of images")
    add_machine(parser)


def add_rank(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad rank``."""
    parser.add_argument("archive", type=Path, nargs="+", help="image files, and folders of them, to be sorted")
    parser.add_argument("--normal", type=Path, nargs="+", required=True, help="folders of images known to be normal")
    parser.add_argument("--out", type=Path, required=True, help="folder of the list, the heat maps and the run")
    drawn = "number of images, the most abnormal ones, that heat maps are drawn of"
    parser.add_argument("--heatmaps", type=int, default=100, help=drawn)
    exact = "hide half of the normal images in the archive, so that q-values hold whatever was learned"
    parser.add_argument("--adadetect", action="store_true", help=exact)
    add_options(parser, OF_RANK, method="nu")


def add_select(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad select``."""
    add_data(parser)
    shortlist = "methods to choose from; by default all that look at one descriptor of an image"
    parser.add_argument("--methods", type=str, nargs="+", help=shortlist)
    lengths = "lengths of training to choose from, instead, for the one of --methods, such as 10,20,50"
    parser.add_argument("--epochs", type=str | None, help=lengths)
    parser.add_argument("--out", type=Path | None, help="folder of the winner's run and the table; runs/DATA-select")
    parser.add_argument("--test", nargs="*", help=SUPPRESS)
    add_options(parser, OF_SELECT)


def add_synthesize(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad synthesize``."""
    parser.add_argument("method", type=str, help=", ".join(SYNTHESES))
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--size", type=int, default=128, help="side in pixels to which images are resized")
    parser.add_argument("--count", type=int, default=16, help="number of images")
    parser.add_argument("--seed", type=int, default=0, help="chooses the images and all that is random in them")


def add_demo(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad demo``."""
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder, replaced each time")
    add_machine(parser)


def add_benchmark(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad benchmark``."""
    parser.add_argument("grid", type=Path, help="YAML file of data sets, runs and seeds")
    parser.add_argument("--data", type=Path | None, help="folder that holds the data sets; by default the file's own")
    parser.add_argument("--out", type=Path, default=RUNS / "benchmark", help="folder of results; the same one goes on")
    parser.add_argument("--scheduler", help="slurm, or the address of a Dask scheduler; local processes by default")
    parser.add_argument("--workers", type=int | None, help="trainings at a time; as many as cores allow by default")
    parser.add_argument("--report", action="store_true", help="write tables and a page to OUT/report")


def add_audit(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad audit``."""
    add_data(parser)
    parser.add_argument(
        "--out", type=Path | None, help="folder of audit.html and audit.json; runs/DATA-audit by default"
    )
    cleaned = "a .json or .csv file to write: the lists without test images that are repeats"
    parser.add_argument("--write-deduplicated", type=Path | None, help=cleaned)
    pattern = r"expression whose first group is the patient in a name, such as '^(\d+)_', where nothing else tells"
    parser.add_argument("--patient-pattern", type=str | None, help=pattern)
    rule = "which value becomes black and which white, as for medad run"
    parser.add_argument("--intensity", default="dicom", help=rule)
    parser.add_argument("--jobs", type=int | None, help="number of threads; all cores by default")


def add_prepare(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad prepare``."""
    parser.add_argument("name", help="brain_tumor, lag, isic2018, camelyon16, rsna, vindr, brats2021 or mood")
    parser.add_argument("--source", type=Path, required=True, help="folder of the data set as it is published")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--split", type=Path | None, help="the published data.json; by default a seeded split")
    parser.add_argument("--seed", type=int, default=0, help="seed of that split")


def add_slices(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad slices``."""
    parser.add_argument("volumes", type=Path, help="NIfTI file, or a folder of them")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--axis", type=Literal["sagittal", "coronal", "axial"] | None, help="default: largest spacing")
    parser.add_argument("--every", type=int, default=1, help="take each n-th slice")
    parser.add_argument("--foreground", type=float, default=0.0, help="share of a slice that is not dark, at least")
    parser.add_argument("--intensity", default="dicom", help="dtype, file, window LO HI, percentile P Q, dicom or ddad")
    parser.add_argument("--masks", type=Path | None, help="folder of segmentations, named as the volumes are")


def add_reproduce(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad reproduce``."""
    pitfalls = "pitfalls1, 1b, 2, 3 or _further, where residuals are blind (Meissen et al. 2022)"
    names = f"table2 to table6, fig6, fig8 or fig9 of Cai et al. 2023; ocssl, our own table; or {pitfalls}"
    parser.add_argument("name", help=names)
    folder = "folder of a data set, e.g. brain_tumor; for ocssl that of all sets, for pitfalls also one of images"
    parser.add_argument("--data", type=Path, required=True, help=folder)
    parser.add_argument("--out", type=Path, default=RUNS / "reproduce", help="folder of results; the same one goes on")
    parser.add_argument("--scale", type=Literal["quick", "paper"], default="quick", help="preset of the trainings")
    parser.add_argument("--seeds", type=list[int], default=[0], help="list of seeds, e.g. [0, 1, 2]")
    parser.add_argument("--stored", type=Path | None, help="stored results, not trained again: docs/results")
    parser.add_argument("--print-only", action="store_true", help="train nothing, print what there is")
    parser.add_argument("--precision", type=Precision, default="fp32", help="of the trainings")
    parser.add_argument("--device", default="auto", help="auto (CUDA when there), cpu, cuda or cuda:N")
    parser.add_argument("--options", type=dict[str, Any], default={}, help="--options.NAME VALUE for --scale's own")
    parser.add_argument("--scheduler", help="slurm, or the address of a Dask scheduler; local processes by default")
    parser.add_argument("--workers", type=int | None, help="trainings at a time; as many as cores allow by default")


def add_results(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad results``."""
    parser.add_argument(
        "pages", nargs="*", default=[], help="names of pages, all by default; an unknown one lists them"
    )
    parser.add_argument("--stored", type=Path, default=Path("docs/results"), help="root of the stored results")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of docs/ and README.md, where pages lie")
    parser.add_argument("--data", type=Path | None, help="folder of data sets; by default what MEDAD_DATA names")


def add_latent_size(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad suggest-latent-size``."""
    add_data(parser)
    parser.add_argument("--preset", type=Preset, default="quick", help="of training")
    parser.add_argument("--size", type=int, default=64, help="side in pixels to which images are resized")
    parser.add_argument("--channels", type=Literal[1, 3], default=1, help="1 reads images as grey, 3 as RGB")
    parser.add_argument("--seed", type=int, default=0, help="seed of trainings and of the images held out")
    parser.add_argument("--options", type=dict[str, Any], default={}, help="further --options.NAME VALUE of method ae")
    parser.add_argument("--out", type=Path | None, help="CSV file to write")
    add_machine(parser)


def add_methods(parser: ArgumentParser) -> None:
    """Add the arguments of ``medad methods``."""
    parser.add_argument("--format", type=Literal["text", "json"], default="text", help="for people or for programs")
