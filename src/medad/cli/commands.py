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
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser, Namespace

from medad.cli import arguments as args
from medad.cli.errors import disk_trouble, option_trouble
from medad.cli.helptext import HelpFormatter
from medad.cli.words import joined
from medad.errors import MedadError, OptionError, UserError
from medad.parser_messages import parse_trouble, typed_names
from medad.version import __version__
from medad.workflows.notes import take_any_console
from medad.workflows.options import RUNS, TrainOptions, at_least


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
    how = {"calibration": a.calibration, "false_alarms": a.false_alarms, "by": a.by, "precision": a.precision}
    return 1 if predict(a.run, a.inputs, a.out, **how, **_machine(a)) else 0


def _calibrate(arguments: Namespace) -> int:
    from medad.workflows.calibrate import calibrate

    a = arguments
    calibrate(a.run, a.normals, a.name, **_machine(a))
    return 0


def _check(arguments: Namespace) -> int:
    from medad.evaluation.promises.exchangeability import Verdict
    from medad.workflows.check import check_promise

    a = arguments
    asked = {"calibration": a.calibration, "rate": a.false_alarms}
    return 1 if check_promise(a.run, a.normals, **asked, **_machine(a)) == Verdict.FAILS else 0


def _accept(arguments: Namespace) -> int:
    from medad.workflows.accept import accept

    a = arguments
    accept(a.run, a.data, out=a.out, split=a.split, calibration=a.calibration, rate=a.false_alarms, **_machine(a))
    return 0


def _stress(arguments: Namespace) -> int:
    from medad.workflows.stress import stress

    a = arguments
    asked = {"images": a.images, "seed": a.seed, "beside": a.beside}
    stress(a.run, a.data, out=a.out, split=a.split, **asked, **_machine(a))
    return 0


def _watch(arguments: Namespace) -> int:
    from medad.workflows.watch import SOME, watch

    a = arguments
    return 1 if watch(a.run, a.cases, a.name, date=a.date, **_machine(a)) >= SOME else 0


def _rank(arguments: Namespace) -> int:
    from medad.workflows.rank import rank

    a = arguments
    options = TrainOptions(**{name: a[name] for name in args.OF_RANK})
    return 1 if rank(a.archive, a.normal, a.out, options, heatmaps=a.heatmaps, adadetect=a.adadetect) else 0


def _select(arguments: Namespace) -> int:
    from medad.workflows.select import select

    a = arguments
    if a.test is not None:
        raise OptionError("test", "nothing here may look at test images or labels: medad evaluate does, afterwards")
    options = TrainOptions(**{name: a[name] for name in args.OF_SELECT})
    select(a.data, options, methods=a.methods, epochs=a.epochs, out=a.out, split=a.split)
    return 0


def _synthesize(arguments: Namespace) -> int:
    from medad.workflows.synthesize import synthesize

    a = arguments
    synthesize(a.method, a.data, a.out, size=a.size, count=a.count, seed=a.seed, split=a.split)
    return 0


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
    "demo": Command("train and evaluate on generated images", args.add_demo, _demo),
    "run": Command("train, evaluate and write a report", args.add_training, _run),
    "train": Command("train on the normal and unlabeled images of DATA", args.add_training, _train),
    "evaluate": Command("score the test images of DATA with a finished run", args.add_evaluate, _evaluate),
    "predict": Command("score new images and draw heat maps", args.add_predict, _predict),
    "calibrate": Command("score normal images of a place, to promise on", args.add_calibrate, _calibrate),
    "check": Command("see whether what a run promises holds here", args.add_check, _check),
    "accept": Command("hold a site's labelled images against the promise", args.add_accept, _accept),
    "watch": Command("hold the cases of a day against those before", args.add_watch, _watch),
    "stress": Command("see to which made anomalies a run is blind", args.add_stress, _stress),
    "rank": Command("sort an archive by what tells it from normal images", args.add_rank, _rank),
    "select": Command("choose the method for DATA without a label", args.add_select, _select),
    "audit": Command("look for what is wrong with DATA before training", args.add_audit, _audit),
    "synthesize": Command("show the anomalies that methods learn from", args.add_synthesize, _synthesize),
    "prepare": Command("make a published data set ready", args.add_prepare, _prepare),
    "slices": Command("cut NIfTI volumes into pictures", args.add_slices, _slices),
    "benchmark": Command("run a grid of methods, data sets and seeds", args.add_benchmark, _benchmark),
    "reproduce": Command("run an experiment of the DDAD-ASR paper", args.add_reproduce, _reproduce),
    "results": Command("print the pages of stored results anew", args.add_results, _results),
    "suggest-latent-size": Command("sweep the code length of an autoencoder", args.add_latent_size, _latent_size),
    "methods": Command("list the methods", args.add_methods, _methods),
}
