"""The packages import in one direction: no circles, and no room reaches into one above it.

Imports inside functions count. Imports under TYPE_CHECKING do not: they exist for mypy only.
"""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "followme_uav"
SIM_ROOMS = ("city", "agents", "rendering", "vehicle", ("viewer", "airsim_api"))
"""Each imports rooms before it only; rooms of one place do not import each other."""
NEVER = {
    "pilot": {"rpc", "flight", "log", "replay", "sim", "learn", "scenario", "view", "commands"},
    "sim": {"pilot", "flight", "log", "replay", "learn", "scenario", "view", "commands"},
}
"""Packages that a package does not import."""
USERS_OF_SIM = {"scenario", "learn", "commands", "sim"}


def module_name(path, root):
    """`package.module` of a file, `package` of an `__init__.py`."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def modules_of(root, package):
    return {module_name(path, root): path for path in (root / package).rglob("*.py")}


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def import_nodes(tree):
    """Import statements of a module, at any depth, without those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if is_type_checking(node):
            for other in node.orelse:
                yield from import_nodes(ast.Module([other], []))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        else:
            yield from import_nodes(node)


def targets_of(node, module, is_package):
    """Dotted names that an import statement may refer to: modules, or names in modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        parts = module.split(".")
        parts = parts[: len(parts) - node.level + is_package]
        base = ".".join([*parts, base]).rstrip(".")
    return [f"{base}.{alias.name}" for alias in node.names]


def imports_of(modules):
    """For each module the modules of the same package that it imports."""

    def module_of(name):
        return name if name in modules else name.rpartition(".")[0]

    graph = {}
    for module, path in modules.items():
        targets = (
            module_of(target)
            for node in import_nodes(ast.parse(path.read_text()))
            for target in targets_of(node, module, path.name == "__init__.py")
        )
        graph[module] = {target for target in targets if target in modules} - {module}
    return graph


def siblings(importing, imported):
    """The package that both modules share, and the part of it in which each of them lies.

    None if one module is a package that contains the other: Python imports it in any case.
    """
    one, other = importing.split("."), imported.split(".")
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    if shared in (len(one), len(other)):
        return None
    return ".".join(one[:shared]), one[shared], other[shared]


def imports_between_siblings(graph):
    """For each package the imports between its subpackages and modules."""
    packages = {}
    for module, targets in graph.items():
        for target in targets:
            if parts := siblings(module, target):
                package, importing, imported = parts
                packages.setdefault(package, {}).setdefault(importing, set()).add(imported)
    return packages


def circle_in(graph):
    """Nodes of one circle, or an empty list."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def room_of(module):
    """Name of the package or module directly in `followme_uav`."""
    return module.split(".")[1] if "." in module else ""


GRAPH = imports_of(modules_of(ROOT, PACKAGE))
BETWEEN = imports_between_siblings(GRAPH)


def test_no_module_imports_itself_through_others():
    assert not circle_in(GRAPH)


@pytest.mark.parametrize("package", sorted(BETWEEN))
def test_no_circle_between_the_parts_of_a_package(package):
    assert not circle_in(BETWEEN[package])


def test_rooms_of_the_simulator_import_only_rooms_below():
    level = {}
    for number, place in enumerate(SIM_ROOMS):
        level |= dict.fromkeys([place] if isinstance(place, str) else place, number)
    folders = {path.parent.name for path in (ROOT / PACKAGE / "sim").glob("*/__init__.py")}
    assert set(level) == folders
    upwards = {
        f"{importing} -> {imported}"
        for importing, targets in BETWEEN[f"{PACKAGE}.sim"].items()
        for imported in targets
        if importing in level and imported in level and level[imported] >= level[importing]
    }
    assert not upwards


@pytest.mark.parametrize("package", NEVER)
def test_pilot_and_simulator_import_nothing_of_what_uses_them(package):
    forbidden = {
        f"{module} -> {target}"
        for module, targets in GRAPH.items()
        for target in targets
        if room_of(module) == package and room_of(target) in NEVER[package]
    }
    assert not forbidden


def test_only_scenarios_learning_and_commands_import_the_simulator():
    users = {
        room_of(module)
        for module, targets in GRAPH.items()
        if any(room_of(target) == "sim" for target in targets)
    }
    assert users <= USERS_OF_SIM


def test_table_of_packages_in_the_docs_states_the_imports():
    page = (ROOT / "docs/development.md").read_text()
    folders = {path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py")} - {"config"}
    row = re.compile(rf"^\| `{PACKAGE}/(\w+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
    stated = {name: set(re.findall(r"\w+", cell)) & folders for name, cell in row.findall(page)}
    assert stated == {name: BETWEEN[PACKAGE].get(name, set()) & folders for name in sorted(folders)}


MADE = {
    "p/__init__.py": "",
    "p/low.py": "import json\n",
    "p/a/__init__.py": "",
    "p/a/one.py": "def f():\n    from p.b import two\n",
    "p/a/three.py": "from p.low import X\n",
    "p/b/__init__.py": "",
    "p/b/two.py": "import p.a.three\n",
    "p/b/four.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import one\n",
    "p/b/five.py": "from ..a import one\nfrom . import four\nfrom .four import X\n",
}


@pytest.fixture
def made(tmp_path):
    for name, text in MADE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return imports_of(modules_of(tmp_path, "p"))


def test_all_forms_of_imports_are_read(made):
    assert made["p.a.one"] == {"p.b.two"}
    assert made["p.a.three"] == {"p.low"}
    assert made["p.b.two"] == {"p.a.three"}
    assert made["p.b.five"] == {"p.a.one", "p.b.four"}
    assert made["p.b.four"] == made["p.low"] == set()


def test_circle_between_packages_is_found_without_one_between_modules(made):
    assert not circle_in(made)
    assert sorted(set(circle_in(imports_between_siblings(made)["p"]))) == ["a", "b"]


def test_circle_between_modules_is_found():
    assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
