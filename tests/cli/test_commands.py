"""The parser, exit statuses and what reaches the workflows (the commands: tests/workflows)."""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from medad.cli import commands as cli
from medad.cli.commands import main
from medad.errors import MedadError
from medad.workflows.options import TrainOptions


@pytest.fixture
def called(monkeypatch):
    """Record what ``medad train`` passes on instead of training."""
    from medad.workflows import train

    calls = []
    monkeypatch.setattr(train, "train", lambda *args, **kwargs: calls.append((args, kwargs)))
    return calls


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for name in ("demo", "run", "train", "evaluate", "predict", "methods"):
        assert f"\n    {name} " in text


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert cli.COMMANDS[command].help in capsys.readouterr().out


def test_help_of_training_has_every_option_with_its_line(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name in asdict(TrainOptions()):
        assert f"--{name.replace('_', '-')} " in text
    assert "All that is random comes from it." in text
    for other in ("--out", "--split", "--resume", "--config", "--print_config"):
        assert other in text


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    from medad.version import __version__

    assert capsys.readouterr().out.split() == ["medad", __version__]
    assert project["tool"]["hatch"]["version"]["path"] == "src/medad/version.py"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "passive 5000"), ({"OMP_WAIT_POLICY": "active"}, "active None"), ({"GOMP_SPINCOUNT": "9"}, "passive 9")],
)
def test_threads_soon_sleep_while_they_wait_unless_the_user_says_otherwise(given, expected):
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    code = f"import os, medad; print(*(os.environ.get(name) for name in {names}))"
    others = {name: value for name, value in os.environ.items() if name not in names}
    found = subprocess.run([sys.executable, "-c", code], env=others | given, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == expected


def test_help_and_methods_import_nothing_heavy():
    code = (
        "import sys; from medad.cli.commands import main; main(['methods'])\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'torch', 'numpy', 'sklearn', 'matplotlib', 'PIL'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_methods_as_json(capsys):
    from medad.detectors.registry import METHODS

    assert main(["methods", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(METHODS)
    assert {"name", "family", "maps", "uses_unlabeled", "paper"} <= set(rows["ddad"])
    assert rows["ddad"]["uses_unlabeled"] is True and rows["ae"]["uses_unlabeled"] is False


def test_methods_as_text_names_each(capsys):
    from medad.detectors.registry import METHODS

    assert main(["methods"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(METHODS)


def test_options_reach_training(called):
    argv = "train D --out R --split S.json --resume --method aeu --preset tiny --size 128 --channels 3"
    argv += " --unlabeled-size 7 --anomaly-rate 0.2 --ensemble-size 4 --seed 5 --precision bf16 --device cpu"
    argv += " --jobs 2 --options.p_synth 0.25 --options.refine false --backbone memae"
    assert main(argv.split()) == 0
    (data, options), rest = called[0]
    assert data == Path("D")
    assert rest == {"out": Path("R"), "split": Path("S.json"), "resume": True}
    assert options == TrainOptions(
        method="aeu",
        backbone="memae",
        preset="tiny",
        size=128,
        channels=3,
        unlabeled_size=7,
        anomaly_rate=0.2,
        ensemble_size=4,
        seed=5,
        precision="bf16",
        device="cpu",
        jobs=2,
        options={"p_synth": 0.25, "refine": False},
    )


def test_defaults_are_those_of_the_options(called):
    assert main(["train", "D"]) == 0
    assert called[0] == ((Path("D"), TrainOptions()), {"out": None, "split": None, "resume": False})


def test_printed_configuration_reads_back(called, tmp_path, capsys):
    given = ["--seed", "3", "--unlabeled-size", "9", "--options.lr", "0.01"]
    with pytest.raises(SystemExit) as end:
        main(["train", "D", *given, "--print_config"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text)["unlabeled_size"] == 9
    file = tmp_path / "c.yaml"
    file.write_text(text)
    assert main(["train", "--config", str(file)]) == 0
    assert main(["train", "D", *given]) == 0
    assert called[0] == called[1]


def test_command_line_overrides_configuration(called, tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("seed: 3\nsize: 128\n")
    assert main(["train", "D", "--config", str(file), "--seed", "4"]) == 0
    assert (called[0][0][1].seed, called[0][0][1].size) == (4, 128)


def fail_with(monkeypatch, error):
    from medad.workflows import train

    def broken(*args, **kwargs):
        raise error

    monkeypatch.setattr(train, "train", broken)


def test_errors_are_one_line(monkeypatch, capsys):
    fail_with(monkeypatch, MedadError("a process died\nwith details"))
    assert main(["train", "D"]) == 1
    assert capsys.readouterr().err == "medad: error: a process died with details\n"


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys):
    fail_with(monkeypatch, KeyboardInterrupt())
    assert main(["train", "D"]) == 130
    assert capsys.readouterr().err == "medad: error: stopped; go on with --resume\n"


def test_unexpected_errors_keep_their_traceback(monkeypatch):
    fail_with(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["train", "D"])
    fail_with(monkeypatch, FileNotFoundError(2, "No such file", "x"))
    with pytest.raises(FileNotFoundError):
        main(["train", "D"])


def test_a_reader_that_has_seen_enough():
    code = "import sys; from medad.cli.commands import main; sys.stdin.read(); sys.exit(main(['methods']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0 and said == b""


def test_warnings_are_one_line(monkeypatch, capsys):
    import warnings

    from medad.workflows import train

    monkeypatch.setattr(train, "train", lambda *args, **kwargs: warnings.warn("mind this", stacklevel=1))
    assert main(["train", "D"]) == 0
    assert capsys.readouterr().err == "medad: warning: mind this\n"
