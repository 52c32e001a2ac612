"""A training that is killed while ASR-Net learns and then resumed ends as one that was left alone."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml

from medad.cli.commands import main
from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.training.checkpoint import load_tensors

CODE = """
import sys
from medad.cli.commands import main
from medad.training import course
from medad.training import stopwatch
course.CHECKPOINT_SECONDS = 0
stopwatch.PERIOD = 0.05
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.integration
def test_killed_and_resumed_training_gives_the_same_weights(tmp_path):
    data = tmp_path / "phantom"
    write_phantoms(data, phantom_benchmark(normal=16, unlabeled=8, test=(2, 2)))
    options = [
        "--preset",
        "tiny",
        "--jobs",
        "1",
        "--device",
        "cpu",
        "--options.refine_steps",
        "100",
        "--options.refine_average",
        "0.9",
    ]
    killed, whole = (["train", str(data), *options, "--out", str(tmp_path / name)] for name in ("killed", "whole"))
    process = subprocess.Popen([sys.executable, "-c", CODE, *killed], env=os.environ | {"OMP_NUM_THREADS": "1"})
    checkpoint = tmp_path / "killed" / "checkpoint"
    try:
        while not list(checkpoint.glob("r_*.partial.safetensors")):
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "killed" / "weights.safetensors").exists()
    seconds = json.loads((checkpoint / "seconds.json").read_text())
    assert seconds["seconds"] > 0
    longer = {"seconds": seconds["seconds"] + 1000, "began": seconds["began"] - 5000}  # than a test can take
    (checkpoint / "seconds.json").write_text(json.dumps(longer))
    assert main([*killed, "--resume"]) == 0
    assert main(whole) == 0
    timings = yaml.safe_load((tmp_path / "killed" / "run.yaml").read_text())["timings"]
    assert timings["resumed"] is True
    assert 1000 < timings["fit_seconds"] < 5000 < timings["wall_seconds"]
    a, b = (load_tensors(tmp_path / name / "weights.safetensors")[0] for name in ("killed", "whole"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
