"""What the parser and the disk complain about, in the user's words."""

import errno
from pathlib import Path

import numpy as np
import pytest

from medad.cli import main
from medad.complaints import disk_trouble
from medad.errors import UserError


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("", "demo,run,train,evaluate,predict"),
        ("trian D", "invalid choice: 'trian'"),
        ("train", "required: data (see medad train --help)"),
        ("evaluate", "required: run, data (see medad evaluate --help)"),
        ("reproduce table3 --data D --seeds 0", "--seeds: expected a list, such as [0, 1]. Got value: 0"),
        ("train D --size big", "--size: expected int. Got value: big"),
        ("train D --unlabeled-size some", "--unlabeled-size: expected int. Got value: some"),
        ("train D --backbone vae", "--backbone: expected one of ['ae', 'memae', 'aeu']. Got value: vae"),
        ("train D --preset fast", "--preset: expected one of ['paper', 'standard', 'quick', 'tiny']"),
        ("train D --channels 2", "--channels: expected one of [1, 3]. Got value: 2"),
        ("train D --options 3", "--options: expected dict. Got value: 3"),
        ("train D --bogus 3", "unrecognized arguments: --bogus 3"),
        ("train D --seed", "--seed: expected one argument"),
        ("train D --config missing.yaml", "missing.yaml"),
        ("train D --seed -1", "--seed -1: must be at least 0"),
        ("train D --jobs 0", "--jobs 0: must be at least 1"),
        ("train D --anomaly-rate 1.5", "--anomaly-rate 1.5: must lie between 0 and 1"),
        ("train D --options.ensemble_size 3", "--options.ensemble_size: write --ensemble-size instead"),
        ("predict R", "required: inputs"),
        ("methods --format xml", "xml"),
    ],
)
def test_parse_errors_are_one_line_in_the_users_words(argv, said, capsys):
    assert main(argv.split()) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("medad: error: ") and captured.err.count("\n") == 1
    assert said in captured.err
    assert "typing." not in captured.err and "<class" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"sizes: 3", "sizes"),
        (b"size: big", "expected int. Got value: big"),
        (b"backbone: vae", "expected one of ['ae', 'memae', 'aeu']"),
        (b"seed: -1", "--seed -1: must be at least 0"),
        (b"size: [", "parsing"),
        (b"hello", "hello"),
        (b"\x89PNG\xff", "utf-8"),
    ],
)
def test_faults_of_the_configuration_file_name_it(content, said, tmp_path, capsys):
    file = tmp_path / "c.yaml"
    file.write_bytes(content)
    assert main(["train", "D", "--config", str(file)]) == 2
    line = capsys.readouterr().err
    assert str(file) in line and said in line and line.count("\n") == 1 and "Parser key" not in line


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
