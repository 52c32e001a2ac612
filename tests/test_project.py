"""What pyproject.toml promises: a core of what is imported, no copyleft codec, and a citation in step with it."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
USED_BY = {"docstring-parser": "jsonargparse"}  # not imported by us, but without it the help of options is empty


def name_of(requirement):
    """Return the name of a distribution as the package index compares it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def imported():
    """Return the distributions that some module of src imports."""
    of = packages_distributions()
    found = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name_of(dist) for name in names for dist in of.get(name.partition(".")[0], ())}
    return found


def test_every_core_dependency_is_imported():
    core = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    used = imported() | {name for name, by in USED_BY.items() if by in imported()}
    assert core <= used, f"not imported anywhere: {core - used}; an extra, or nothing"


def test_no_extra_draws_the_gpl_codec():
    everything = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    everything += (ROOT / "constraints.txt").read_text().splitlines()
    assert not [line for line in everything if re.search(r"pylibjpeg-libjpeg|\[.*\blibjpeg", line, re.IGNORECASE)]


def test_every_requirement_is_pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {name_of(line) for line in lines if not line.startswith("#")}
    wanted = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    assert {name_of(requirement) for requirement in wanted} <= pinned


def test_the_citation_says_the_same_as_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["title"] == "medad" and citation["type"] == "software"
    assert citation["license"] == PROJECT["license"]
    paper = citation["references"][0]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert paper["title"] in readme and str(paper["year"]) in readme and paper["authors"][0]["family-names"] == "Cai"


def test_the_workflow_runs_what_every_change_must_pass():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in commands
    versions = workflow["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_hooks_run_the_project_s_own_tools():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert all(repository["repo"] == "local" for repository in config["repos"])
    assert {hook["entry"].split()[0] for hook in hooks} == {".venv/bin/ruff", ".venv/bin/mypy"}
