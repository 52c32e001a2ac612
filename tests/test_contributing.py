"""The worked examples of CONTRIBUTING pass the whole contract, word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S)
EXAMPLES = [(*block.split("\n", 1), row) for block, row in zip(BLOCKS[::2], BLOCKS[1::2], strict=True)]
PLUGIN = """
from importlib import import_module
from pathlib import Path
from medad.detectors.registry import METHODS, MethodInfo
for family, row in {rows!r}:
    package = import_module(f"medad.detectors.{{family}}")
    package.__path__ = [*package.__path__, str(Path(__file__).parent / family)]
    info = eval(row)
    METHODS[info.name] = info
"""


def test_each_is_one_file_of_at_most_sixty_lines_and_one_row():
    assert [name for name, _, _ in EXAMPLES] == [
        "# src/medad/detectors/reconstruction/small_ae.py",
        "# src/medad/detectors/features/nearest.py",
    ]
    for _, code, row in EXAMPLES:
        assert len(code.splitlines()) <= 60
        assert len(row.splitlines()) == 1


def test_both_pass_every_check_of_the_contract(tmp_path):
    rows, names = [], []
    for title, code, row in EXAMPLES:
        family, file = Path(title).parts[-2:]
        (tmp_path / family).mkdir()
        (tmp_path / family / file).write_text(code, encoding="utf-8")
        rows.append((family, row.strip()))
        names.append(file.removesuffix(".py"))
    check = [sys.executable, "-m", "ruff", "check", "-q", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    assert subprocess.run(check).returncode == 0
    (tmp_path / "examples.py").write_text(PLUGIN.format(rows=rows), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "examples", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    arguments = [str(ROOT / "tests" / "test_contract.py"), "-k", " or ".join(names), "-rN"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed >= 2 * 17  # checks of the contract
