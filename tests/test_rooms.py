"""Imports run downward only, through the rooms of the package, and never in circles."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "medad"

# From top to bottom. A module belongs to the room with the longest name that its own begins with, and may import from
# its room and from lower lines; rooms of one line know nothing of each other. The package's own file is __init__.
FLOORS = """
__main__
__init__
api cli
experiments
workflows
reports
detectors
detectors.unlabeled
detectors.ddad detectors.synthetic
detectors.adversarial detectors.codebook detectors.features detectors.one_class detectors.variational
detectors.reconstruction
detectors.contract
training
evaluation
synthesis
networks
data
ownership parser_messages
files
cores errors memory progress version
"""


def modules_of(source: Path) -> dict[str, Path]:
    """Return the files of all modules of a package by name."""
    found = {}
    for path in source.rglob("*.py"):
        parts = path.relative_to(source.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, modules: dict[str, Path]) -> Iterator[str]:
    """Yield what modules of the package `name` imports: anywhere in it, also in functions and for types alone."""
    package = name if modules[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(modules[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & modules.keys()
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            named = {f"{origin}.{alias.name}" for alias in node.names}
            yield from named & modules.keys() or {origin} & modules.keys()


def room_of(module: str, rooms: dict[str, int]) -> str | None:
    """Return the smallest room that `module`, by its full name, stands in."""
    place = module.partition(".")[2] or "__init__"
    return max((room for room in rooms if f"{place}.".startswith(f"{room}.")), key=len, default=None)


def upward(modules: dict[str, Path], floors: str) -> list[str]:
    """Return the imports that lead up or to another room of the same floor."""
    floor_of = {room: floor for floor, line in enumerate(floors.strip().splitlines()) for room in line.split()}
    found = []
    for name in sorted(modules):
        for other in sorted(set(imported(name, modules))):
            here, there = room_of(name, floor_of), room_of(other, floor_of)
            if here != there and None not in (here, there) and floor_of[here] >= floor_of[there]:
                found.append(f"{name} imports {other}")
    return found


def circle(modules: dict[str, Path]) -> list[str]:
    """Return modules that import each other in turn; none if there is no circle."""
    try:
        TopologicalSorter({name: set(imported(name, modules)) - {name} for name in modules}).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_every_module_stands_in_a_room_and_no_room_is_empty():
    rooms = dict.fromkeys(FLOORS.split(), 0)
    stands = {name: room_of(name, rooms) for name in modules_of(SOURCE)}
    homeless = [name for name, room in stands.items() if room is None]
    assert not homeless, f"give them a place in FLOORS: {homeless}"
    assert set(stands.values()) == set(rooms)


def test_imports_run_downward_only():
    found = upward(modules_of(SOURCE), FLOORS)
    assert not found, "\n".join(found)


def test_no_modules_import_each_other_in_turn():
    assert circle(modules_of(SOURCE)) == []


@pytest.mark.parametrize(
    "line",
    [
        "import house.attic.box",
        "from house.attic.box import lid",
        "from house.attic import box",
        "from ..attic import box",
        "def use():\n    from house.attic.box import lid",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.attic.box import lid",
        "from house.cellar.wine.red import glass",  # a room within a room, below it
        "from house.shed.rake import tine",  # on the same floor
    ],
)
def test_what_leads_up_or_aside_or_round_is_found(tmp_path, line):
    house = tmp_path / "house"
    files = {
        "__init__": "",
        "attic/__init__": "",
        "attic/box": "from house.cellar.coal import heap",
        "cellar/__init__": "",
        "cellar/coal": "",
        "cellar/wine/__init__": "",
        "cellar/wine/red": "",
        "shed/__init__": "",
        "shed/rake": "",
    }
    for name, code in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / f"{name}.py").write_text(code)
    floors = "attic\ncellar.wine\ncellar shed\n__init__"
    assert upward(modules_of(house), floors) == [] and circle(modules_of(house)) == []
    (house / "cellar" / "coal.py").write_text(line)
    (wrong,) = upward(modules_of(house), floors)
    assert wrong.startswith("house.cellar.coal imports house.")
    assert bool(circle(modules_of(house))) == ("attic" in line)
