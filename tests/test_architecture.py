"""The map of ARCHITECTURE.md is the folders, imports have no circle, and families of one kind are apart."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import simstudy
from simstudy.mechanisms import MECHANISMS
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.structures import STRUCTURES
from simstudy.samplers import SAMPLERS

PACKAGE = Path(simstudy.__file__).parent
MAP = re.search(r"```\n(.*?)```", (PACKAGE.parent / "ARCHITECTURE.md").read_text(), re.DOTALL)[1]
REGISTRIES = (MECHANISMS, LIKELIHOODS, STRUCTURES, SAMPLERS)
TOP = {"__init__.py", "errors.py", "types.py", "streams.py", "logs.py", "late.py"}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("simstudy")


def rooms_of_the_map():
    """Yield the folders that the map names, an indented one inside the last that is less so."""
    around = []
    for line in MAP.splitlines():
        room = re.match(r"( *)(\w+)/ ", line)
        around = [*around[: len(room[1]) // 2], room[2]]
        yield "/".join(around)


def test_the_map_is_the_folders():
    """Every room that the map names is a folder, and every folder of the package is named."""
    folders = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*") if path.is_dir()}
    named = list(rooms_of_the_map())
    assert len(named) == len(set(named))
    assert set(named) == {folder for folder in folders if "__pycache__" not in folder}


def test_modules_live_in_rooms():
    """On top lie the six modules that all rooms use and the door of ``python -m simstudy``, and no other."""
    assert {path.name for path in PACKAGE.glob("*.py")} == {*TOP, "__main__.py"}


def test_faces_say_one_thing():
    """A room without a registry or public names has a face of one docstring line."""
    for face in (
        "study",
        "models",
        "summaries",
        "fitting",
        "running",
        "measures/rows",
        "report/words",
        "report/reading",
    ):
        assert len((PACKAGE / face / "__init__.py").read_text().splitlines()) == 1, face


def test_no_import_is_a_circle(graph):
    """Modules can be put in an order in which each imports earlier ones only."""
    order = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert list(TopologicalSorter(order).static_order())


@pytest.mark.parametrize("registry", REGISTRIES, ids=["mechanisms", "likelihoods", "structures", "samplers"])
def test_families_of_one_kind_are_apart(registry, graph):
    """None of the registered families imports another."""
    modules = {family.__module__ for family in registry.values()}
    for module in modules:
        assert not graph.find_modules_directly_imported_by(module) & (modules - {module}), module
