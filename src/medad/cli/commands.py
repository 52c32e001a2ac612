"""The command line: one parser; each command calls one function of ``medad.workflows``.

Heavy rooms are imported when a command runs, so that ``medad --help`` and ``medad methods`` are instant.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

import docstring_parser
from jsonargparse import ArgumentError, ArgumentParser, Namespace

from medad.cli.errors import ConfigFile, disk_trouble, option_trouble
from medad.cli.helptext import HelpFormatter
from medad.cli.words import joined
from medad.errors import MedadError, OptionError, UserError
from medad.parser_messages import parse_trouble, typed_names
from medad.version import __version__
from medad.workflows.notes import take_any_console
from medad.workflows.options import RUNS, Precision, Preset, TrainOptions, at_least


@dataclass(frozen=True)
class Command:
    """A command: its line in the help, what it is told, and what it does (returning the exit status)."""

    help: str
    add_arguments: Callable[[ArgumentParser], None]
    call: Callable[[Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        What the user typed after ``medad``; the process's own arguments by default.

    Returns
    -------
    int
        Exit status: 0; 1 when something went wrong; 2 for the user's mistakes; 130 after Ctrl-C.
    """
    arguments = Namespace()
    take_any_console()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *rest: print(f"medad: warning: {message}", file=sys.stderr)
            parsed = make_parser().parse_args(joined(sys.argv[1:] if argv is None else argv))
            arguments = parsed[parsed.subcommand]
            status = COMMANDS[parsed.subcommand].call(arguments)
            sys.stdout.flush()
            return status
    except ArgumentError as error:
        return _fail(parse_trouble(str(error), *_typed(argv)), 2)
    except OptionError as error:
        return _fail(_with_notes(option_trouble(error, _typed(argv)[0]), error), error.exit_status)
    except MedadError as error:
        return _fail(_with_notes(typed_names(str(error)), error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("stopped; go on with --resume" if "resume" in arguments else "stopped", 130)
    except BrokenPipeError:  # who reads our output, say head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        trouble = disk_trouble(error, arguments.get("out") or RUNS)
        if trouble is None:
            raise
        return _fail(str(trouble), trouble.exit_status)


def _fail(line: str, status: int) -> int:
    print(f"medad: error: {' '.join(line.split())}", file=sys.stderr)
    return status


def _with_notes(line: str, error: Exception) -> str:
    return " ".join([line, *getattr(error, "__notes__", ())])


def _typed(argv: Sequence[str] | None) -> tuple[list[str], str]:
    """Return what can be typed after the command that was typed, and that command; commands if there is none."""
    words = sys.argv[1:] if argv is None else argv
    name = next((word for word in words if not word.startswith("-")), "")
    if name not in COMMANDS:
        return list(COMMANDS), "medad"
    return [flag for action in _subparser(name)._actions for flag in action.option_strings], f"medad {name}"


def make_parser() -> ArgumentParser:
    """Return the parser of all commands; it raises ``ArgumentError`` instead of ending the process."""
    parser = ArgumentParser(
        prog="medad",
        exit_on_error=False,
        formatter_class=HelpFormatter,
        version=__version__,
        description="Find abnormal medical images when almost nothing is labelled.",
    )
    commands = parser.add_subcommands(required=True, title="commands", metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_subcommand(name, _subparser(name), help=command.help)
    return parser


def _subparser(name: str) -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False, formatter_class=HelpFormatter, description=COMMANDS[name].help)
    COMMANDS[name].add_arguments(parser)
    return parser


def _add_data(parser: ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="folder of images with data.json, manifest.csv or folders per split")
    parser.add_argument("--split", type=Path | None, help="split file to use instead of the folder's own")


def _add_machine(parser: ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto (CUDA when there), cpu, cuda or cuda:N")
    parser.add_argument("--jobs", type=int | None, help="number of processes; all cores by default")


def _add_scoring(parser: ArgumentParser) -> None:
    scoring = "precision of scoring, whatever that of the training was: bf16 is faster and less exact"
    parser.add_argument("--precision", type=Precision, default="fp32", help=scoring)
    _add_machine(parser)


def _add_training(parser: ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--out", type=Path | None, help="run folder; runs/DATA-METHOD by default")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")
    parser.add_argument("--config", action=ConfigFile, help="YAML file of options, as --print_config prints it")
    helps = {p.arg_name: p.description for p in docstring_parser.parse(TrainOptions.__doc__ or "").params}
    types = get_type_hints(TrainOptions)
    for option in fields(TrainOptions):
        default = {} if option.name == "options" else option.default
        parser.add_argument(_flag(option.name), type=types[option.name], default=default, help=helps[option.name])


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _add_evaluate(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="folder of a finished run")
    _add_data(parser)
    parser.add_argument("--out", type=Path | None, help="folder of the results; RUN/evaluate-NAME by default")
    _add_scoring(parser)


def _add_predict(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("inputs", type=Path, nargs="+", help="image files, and folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder of scores and heat maps")
    _add_scoring(parser)


def _add_demo(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder, replaced each time")
    _add_machine(parser)


def _add_benchmark(parser: ArgumentParser) -> None:
    parser.add_argument("grid", type=Path, help="YAML file of data sets, runs and seeds")
    parser.add_argument("--data", type=Path | None, help="folder that holds the data sets; by default the file's own")
    parser.add_argument("--out", type=Path, default=RUNS / "benchmark", help="folder of results; the same one goes on")
    parser.add_argument("--scheduler", help="slurm, or the address of a Dask scheduler; local processes by default")
    parser.add_argument("--workers", type=int | None, help="trainings at a time; as many as cores allow by default")
    parser.add_argument("--report", action="store_true", help="write tables and a page to OUT/report")


def _add_audit(parser: ArgumentParser) -> None:
    _add_data(parser)
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


def _add_prepare(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="brain_tumor, lag, isic2018, camelyon16, rsna, vindr, brats2021 or mood")
    parser.add_argument("--source", type=Path, required=True, help="folder of the data set as it is published")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--split", type=Path | None, help="the published data.json; by default a seeded split")
    parser.add_argument("--seed", type=int, default=0, help="seed of that split")


def _add_slices(parser: ArgumentParser) -> None:
    parser.add_argument("volumes", type=Path, help="NIfTI file, or a folder of them")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--axis", type=Literal["sagittal", "coronal", "axial"] | None, help="default: largest spacing")
    parser.add_argument("--every", type=int, default=1, help="take each n-th slice")
    parser.add_argument("--foreground", type=float, default=0.0, help="share of a slice that is not dark, at least")
    parser.add_argument("--intensity", default="dicom", help="dtype, file, window LO HI, percentile P Q, dicom or ddad")
    parser.add_argument("--masks", type=Path | None, help="folder of segmentations, named as the volumes are")


def _add_reproduce(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="table2 to table6, fig6, fig8 or fig9 of Cai et al. 2023")
    parser.add_argument("--data", type=Path, required=True, help="folder of a data set, e.g. brain_tumor")
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


def _add_results(parser: ArgumentParser) -> None:
    parser.add_argument(
        "pages", nargs="*", default=[], help="names of pages, all by default; an unknown one lists them"
    )
    parser.add_argument("--stored", type=Path, default=Path("docs/results"), help="root of the stored results")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of docs/ and README.md, where pages lie")
    parser.add_argument("--data", type=Path | None, help="folder of data sets; by default what MEDAD_DATA names")


def _add_latent_size(parser: ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--preset", type=Preset, default="quick", help="of training")
    parser.add_argument("--size", type=int, default=64, help="side in pixels to which images are resized")
    parser.add_argument("--channels", type=Literal[1, 3], default=1, help="1 reads images as grey, 3 as RGB")
    parser.add_argument("--seed", type=int, default=0, help="seed of trainings and of the images held out")
    parser.add_argument("--options", type=dict[str, Any], default={}, help="further --options.NAME VALUE of method ae")
    parser.add_argument("--out", type=Path | None, help="CSV file to write")
    _add_machine(parser)


def _add_methods(parser: ArgumentParser) -> None:
    parser.add_argument("--format", type=Literal["text", "json"], default="text", help="for people or for programs")


def _train_options(arguments: Namespace) -> TrainOptions:
    try:
        return TrainOptions(**{f.name: arguments[f.name] for f in fields(TrainOptions)})
    except UserError as error:
        if arguments.config:
            files = ", ".join(str(file) for file in arguments.config)
            error.add_note(f"(options were read from {files}, too)")
        raise


def _machine(arguments: Namespace) -> dict[str, Any]:
    at_least("jobs", arguments.jobs, 1)
    return {"device": arguments.device, "jobs": arguments.jobs}


def _run(arguments: Namespace) -> int:
    from medad.workflows.run import run

    options = _train_options(arguments)
    run(arguments.data, options, out=arguments.out, split=arguments.split, resume=arguments.resume)
    return 0


def _train(arguments: Namespace) -> int:
    from medad.workflows.train import train

    options = _train_options(arguments)
    train(arguments.data, options, out=arguments.out, split=arguments.split, resume=arguments.resume)
    return 0


def _evaluate(arguments: Namespace) -> int:
    from medad.workflows.evaluate import evaluate

    a = arguments
    evaluate(a.run, a.data, out=a.out, split=a.split, precision=a.precision, **_machine(a))
    return 0


def _predict(arguments: Namespace) -> int:
    from medad.workflows.predict import predict

    a = arguments
    return 1 if predict(a.run, a.inputs, a.out, precision=a.precision, **_machine(a)) else 0


def _demo(arguments: Namespace) -> int:
    from medad.workflows.demo import demo

    demo(arguments.out, **_machine(arguments))
    return 0


def _benchmark(arguments: Namespace) -> int:
    from medad.experiments.grid.engine import benchmark

    a = arguments
    at_least("workers", a.workers, 1)
    failed = benchmark(a.grid, data=a.data, out=a.out, scheduler=a.scheduler, workers=a.workers, report=a.report)
    return 1 if failed else 0


def _audit(arguments: Namespace) -> int:
    from medad.workflows.audit import audit

    a = arguments
    at_least("jobs", a.jobs, 1)
    asked = {"write_deduplicated": a.write_deduplicated, "patient_pattern": a.patient_pattern}
    audit(a.data, split=a.split, out=a.out, intensity=a.intensity, jobs=a.jobs, **asked)
    return 0


def _prepare(arguments: Namespace) -> int:
    from medad.workflows.prepare import prepare

    a = arguments
    prepare(a.name, a.source, a.out, split=a.split, seed=a.seed)
    return 0


def _slices(arguments: Namespace) -> int:
    from medad.workflows.slices import Slicing, cut_slices

    a = arguments
    how = Slicing(a.axis, every=a.every, foreground=a.foreground, intensity=a.intensity)
    return 1 if cut_slices(a.volumes, a.out, how, masks=a.masks) else 0


def _reproduce(arguments: Namespace) -> int:
    from medad.experiments.reproduce.reproduce import reproduce

    a = arguments
    at_least("workers", a.workers, 1)
    options = TrainOptions(preset=a.scale, precision=a.precision, device=a.device, options=dict(a.options))
    how = {"scheduler": a.scheduler, "workers": a.workers, "stored": a.stored, "train": not a.print_only}
    failed = reproduce(a.name, a.data, a.out, options, seeds=a.seeds, **how)
    return 1 if failed else 0


def _results(arguments: Namespace) -> int:
    from medad.experiments.pages.results import print_pages

    a, data = arguments, os.environ.get("MEDAD_DATA")
    print_pages(a.pages, a.stored, a.out, a.data or (Path(data) if data else None))
    return 0


def _latent_size(arguments: Namespace) -> int:
    from medad.experiments.studies.latent_size import suggest_latent_size

    a = arguments
    images = {"size": a.size, "channels": a.channels, "seed": a.seed}
    options = TrainOptions("ae", preset=a.preset, **images, **_machine(a), options=dict(a.options))
    suggest_latent_size(a.data, options, split=a.split, out=a.out)
    return 0


def _methods(arguments: Namespace) -> int:
    from medad.detectors.registry import METHODS

    shown = ("name", "family", "maps", "uses_unlabeled", "paper")
    rows = [{key: getattr(info, key) for key in shown} for info in METHODS.values()]
    if arguments.format == "json":
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['name']:15} {row['family']:15} {row['paper']}")
    return 0


COMMANDS = {
    "demo": Command("train and evaluate on generated images", _add_demo, _demo),
    "run": Command("train, evaluate and write a report", _add_training, _run),
    "train": Command("train on the normal and unlabeled images of DATA", _add_training, _train),
    "evaluate": Command("score the test images of DATA with a finished run", _add_evaluate, _evaluate),
    "predict": Command("score new images and draw heat maps", _add_predict, _predict),
    "audit": Command("look for what is wrong with DATA before training", _add_audit, _audit),
    "prepare": Command("make a published data set ready", _add_prepare, _prepare),
    "slices": Command("cut NIfTI volumes into pictures", _add_slices, _slices),
    "benchmark": Command("run a grid of methods, data sets and seeds", _add_benchmark, _benchmark),
    "reproduce": Command("run an experiment of the DDAD-ASR paper", _add_reproduce, _reproduce),
    "results": Command("print the pages of stored results anew", _add_results, _results),
    "suggest-latent-size": Command("sweep the code length of an autoencoder", _add_latent_size, _latent_size),
    "methods": Command("list the methods", _add_methods, _methods),
}
