"""What the parser and the disk complain about, in the user's words."""

import errno
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonargparse import ArgumentParser

from medad.cli.commands import COMMANDS, main
from medad.cli.errors import disk_trouble
from medad.errors import UserError
from medad.parser_messages import typed_names

PYTHON = re.compile(r"<lambda>|<class|typing\.|Parser key|\b(int|float|bool|str|dict|Path|NoneType|Literal|Optional)\b")
NO_VALUES = ("1.5x", "[1", "{}", "")  # that few types take


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_speaks_no_python(command, capsys):
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    assert not PYTHON.search(capsys.readouterr().out)


@pytest.mark.parametrize("command", COMMANDS)
def test_bad_values_of_every_option_are_refused_without_python(command, capsys, monkeypatch):
    monkeypatch.setitem(COMMANDS, command, replace(COMMANDS[command], call=lambda arguments: 0))
    parser = ArgumentParser(exit_on_error=False)
    COMMANDS[command].add_arguments(parser)
    needed = [a.option_strings[0] if a.option_strings else "x" for a in parser._actions if a.required]
    argv = [part for word in needed for part in ([word, "x"] if word.startswith("-") else [word])]
    refused = 0
    for action in (a for a in parser._actions if a.option_strings and a.dest not in ("help", "print_config")):
        for value in NO_VALUES:
            status = main([command, *argv, f"{action.option_strings[0]}={value}"])
            said = capsys.readouterr().err
            assert status in (0, 2) and not PYTHON.search(said)
            assert said == "" if status == 0 else said.endswith(f" (see medad {command} --help)\n")
            refused += status == 2
    assert refused or command == "results"  # whose options are folders: any word may be one


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("", "give a command: demo, run, train, evaluate, predict"),
        ("trian D", "trian: no such command; did you mean train? (see medad --help)"),
        ("train", "required: data (see medad train --help)"),
        ("evaluate", "required: run, data (see medad evaluate --help)"),
        (
            "reproduce table3 --data D --seeds 0",
            "--seeds 0: expected a list, such as [0, 1] (see medad reproduce --help)",
        ),
        ("train D --size big", "--size big: expected a whole number (see medad train --help)"),
        ("train D --unlabeled-size some", "--unlabeled-size some: expected a whole number"),
        ("train D --backbone vae", "--backbone vae: choose from ae, memae, aeu"),
        ("train D --preset fast", "--preset fast: choose from paper, standard, quick, tiny (see"),
        ("train D --channels 2", "--channels 2: choose from 1, 3"),
        ("train D --options 3", "--options 3: expected names with values"),
        (
            "train D --bogus 3",
            "no such option: --bogus; an option of the method is typed --options.bogus (see medad train --help)",
        ),
        ("train D --seed", "--seed: give it a value (see medad train --help)"),
        ("train D --config missing.yaml", "missing.yaml"),
        ("train D --seed -1", "--seed -1: must be at least 0"),
        ("train D --jobs 0", "--jobs 0: must be at least 1"),
        ("train D --anomaly-rate 1.5", "--anomaly-rate 1.5: must lie between 0 and 1"),
        ("train D --options.ensemble_size 3", "--options.ensemble_size: write --ensemble-size instead"),
        ("predict R", "required: inputs, --out (see medad predict --help)"),
        ("prepare lag", "required: --source, --out (see medad prepare --help)"),
        ("methods --format xml", "--format xml: choose from text, json (see medad methods --help)"),
        ("train D --presett quick", "no such option: --presett; did you mean --preset? (see medad train --help)"),
        ("train D --preset quik", "--preset quik: choose from paper, standard, quick, tiny; did you mean quick?"),
        ("train D --unlabeled_size=3", "no such option: --unlabeled_size; did you mean --unlabeled-size?"),
        ("train D --batch-size 3", "an option of the method is typed --options.batch_size"),
        ("predict R x --outt y", "no such option: --outt; did you mean --out? (see medad predict --help)"),
        ("train D E", "unexpected: E (see medad train --help)"),
        ("train D --resume=3", "--resume 3: give --resume alone (see medad train --help)"),
        ("train D --options.lr", "give each --options.NAME a value"),
        ("suggest-latent-size D --channels x", "--channels x: expected a whole number"),
        ("train D --method aee", "--method aee: no such method; did you mean ae?"),
        ("train D --options.epoch 5", "--options.epoch: method ddad has no such option; did you mean epochs?"),
        ("train D --options.lr x", "--options.lr x: expected a number"),
        ("train D --options.steps x", "--options.steps x: expected a whole number or none"),
        ("train D --options.bessel 1", "--options.bessel 1: expected true or false"),
        ("train D --ensemble-size 1", "--ensemble-size 1: one network has no discrepancy"),
        ("train D --size 100", "--size 100: choose a multiple of 16"),
        ("train D --device gpu", "--device gpu: choose auto, cpu, cuda or cuda:N"),
    ],
)
def test_parse_errors_are_one_line_in_the_users_words(argv, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(argv.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("medad: error: ") and captured.err.count("\n") == 1
    assert said in captured.err
    assert not PYTHON.search(captured.err)
    assert captured.out == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"sizes: 3", "no such option: sizes; did you mean size?"),
        (b"size: big", "--size big: expected a whole number"),
        (b"backbone: vae", "--backbone vae: choose from ae, memae, aeu"),
        (b"seed: -1", "--seed -1: must be at least 0"),
        (b"size: [", "parsing"),
        (b"hello", "expected options with their values"),
        (b"", "expected options with their values"),
        (b"data: [1, 2]", "data: expected a path"),
        (b"\x89PNG\xff", "utf-8"),
    ],
)
def test_faults_of_the_configuration_file_name_it(content, said, tmp_path, capsys):
    file = tmp_path / "c.yaml"
    file.write_bytes(content)
    assert main(["train", "D", "--config", str(file)]) == 2
    line = capsys.readouterr().err
    assert str(file) in line and said in line and line.count("\n") == 1 and not PYTHON.search(line)


@pytest.mark.parametrize("command", ["evaluate R D", "predict R D --out O", "demo --out O"])
@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_jobs_are_checked_before_anything_is_done(command, jobs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--jobs", jobs]) == 2
    assert capsys.readouterr().err == f"medad: error: --jobs {jobs}: must be at least 1\n"
    assert not list(tmp_path.iterdir())


def test_full_disk_names_the_folder():
    named = disk_trouble(OSError(errno.ENOSPC, "No space left on device", "/runs/a/scores.csv"), Path("other"))
    assert named.exit_status == 1 and str(named).startswith("/runs/a: the disk is full")
    unnamed = disk_trouble(OSError(errno.ENOSPC, "No space left on device"), Path("runs/b"))
    assert unnamed.exit_status == 1 and str(unnamed).startswith("runs/b: the disk is full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_short_write_of_numpy_is_a_full_disk():
    with pytest.raises(OSError) as raised, open("/dev/full", "wb", buffering=0) as full:
        np.zeros(10_000).tofile(full)
    assert "the disk is full" in str(disk_trouble(raised.value, Path("runs")))


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_read_only_folder_is_the_users_to_mend(code):
    trouble = disk_trouble(OSError(code, "words", "/runs/a/scores.csv"), Path("/runs/a"))
    assert isinstance(trouble, UserError)
    assert str(trouble) == "/runs/a/scores.csv: cannot be written to (words); choose another --out"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_a_file_that_may_not_be_read_is_not_taken_for_the_output(code):
    trouble = disk_trouble(OSError(code, "words", "/runs/ab/x.png"), Path("/runs/a"))
    assert isinstance(trouble, UserError)
    assert str(trouble) == "/runs/ab/x.png: cannot be read (words): check its permissions"


def test_a_read_only_disk_is_never_a_fault_of_reading():
    trouble = disk_trouble(OSError(errno.EROFS, "words", "/data/x.npy"), Path("/runs/a"))
    assert "/data/x.npy: cannot be written to" in str(trouble)


def test_relative_and_absolute_paths_are_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trouble = disk_trouble(OSError(errno.EACCES, "words", str(tmp_path / "out" / "x.csv")), Path("out"))
    assert "cannot be written to" in str(trouble)


def test_other_errors_are_left_alone():
    assert disk_trouble(OSError(errno.ENOENT, "No such file", "x"), Path("runs")) is None
    assert disk_trouble(OSError("no number"), Path("runs")) is None


def test_options_in_backquotes_are_told_as_they_are_typed():
    assert typed_names("x: trained already; use another `out`, or `options.mc_passes`") == (
        "x: trained already; use another --out, or --options.mc_passes"
    )
