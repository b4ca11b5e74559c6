"""The public names of `followme_uav`: lazy, documented, and with examples that run."""

import ast
import doctest
import importlib
import inspect
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer

import followme_uav
from followme_uav import cli

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120
HEAVY = {
    *("tensorflow", "keras", "torch", "rerun", "ray", "matplotlib", "openvino", "onnx"),
    *("panda3d", "mujoco", "scipy", "numpy", "h5py", "mcap", "av"),
}
"""Modules that no `--help` imports."""
NOT_BY_IMPORT = {*HEAVY, "pydantic", "yaml", "typer", "rich", "msgpack", "PIL", "google.protobuf"}
"""Modules that `import followme_uav` does not import, so that it takes no time."""
USE_FLIGHT = ("FlightLog", "read_log", "FlightEntry")
"""Their examples read the log that the example of `fly` writes."""
IN_SIMULATOR = ("FlightSummary", "connect", "embedded_simulator", "run_scenarios")


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_brings_no_slow_module():
    modules = modules_after("import followme_uav")
    assert not NOT_BY_IMPORT & modules
    assert not {"followme_uav.config", "followme_uav.messages", "followme_uav.flight"} & modules


def commands_of(app, before=()):
    """All commands of the command line, with those of groups."""
    command = typer.main.get_command(app)
    for name, inner in command.commands.items():
        yield [*before, name]
        for deeper in getattr(inner, "commands", {}):
            yield [*before, name, deeper]


def test_help_of_no_command_brings_a_slow_module():
    commands = [[], *commands_of(cli.app)]
    assert ["scenario", "random"] in commands
    code = (
        "import sys\nfrom followme_uav import cli\n"
        f"for command in {commands}:\n"
        "    sys.argv = ['followme-uav', *command, '--help']\n"
        "    try:\n        cli.main()\n"
        "    except SystemExit as end:\n        assert end.code == 0, command"
    )
    assert not HEAVY & modules_after(code)


def test_public_names_are_those_of_the_imports_for_type_checkers():
    tree = ast.parse((ROOT / "followme_uav" / "__init__.py").read_text())
    (block,) = [n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n)]
    typed = {alias.name: node.module for node in block.body for alias in node.names}
    assert sorted(typed) == list(followme_uav.__all__)
    assert typed == {n: f"followme_uav.{m}" for n, m in followme_uav._MODULE_OF.items()}


@pytest.mark.parametrize("name", followme_uav.__all__)
def test_public_name_is_that_of_its_module_and_is_listed(name):
    module = importlib.import_module(f"followme_uav.{followme_uav._MODULE_OF[name]}")
    assert getattr(followme_uav, name) is getattr(module, name)
    assert name in dir(followme_uav)
    assert f"`{name}`" in (ROOT / "docs" / "extending.md").read_text()


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Pilto'"):
        _ = followme_uav.Pilto
    with pytest.raises(ImportError):
        exec("from followme_uav import Pilto")


def docstring_of(name):
    """The docstring of a class or function; below its assignment, that of a type alias."""
    value = getattr(followme_uav, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return inspect.getdoc(value) or ""
    module = importlib.import_module(f"followme_uav.{followme_uav._MODULE_OF[name]}")
    body = ast.parse(inspect.getsource(module)).body
    for node, after in pairwise(body):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return inspect.cleandoc(after.value.value)
    return ""


def run_example(name, folder):
    """Run the example of a public name in a folder."""
    test = doctest.DocTestParser().get_doctest(docstring_of(name), {}, name, None, None)
    assert test.examples, f"{name} has no example"
    report = []
    before = Path.cwd()
    os.chdir(folder)
    try:
        failed, _ = doctest.DocTestRunner().run(test, out=report.append)
    finally:
        os.chdir(before)
    assert not failed, "".join(report)


@pytest.fixture(scope="module")
def flight(tmp_path_factory):
    """A folder with the log of the example of `fly`."""
    folder = tmp_path_factory.mktemp("flight")
    run_example("fly", folder)
    return folder


@pytest.mark.parametrize(
    "name", [n for n in followme_uav.__all__ if n not in ("fly", *USE_FLIGHT, *IN_SIMULATOR)]
)
def test_example_of_a_public_name_runs(name, tmp_path):
    docstring = docstring_of(name)
    assert "\nExample:\n" in docstring
    run_example(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", USE_FLIGHT)
def test_example_that_reads_a_flight_runs(name, flight):
    run_example(name, flight)


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_SIMULATOR)
def test_example_with_a_simulator_runs(name, tmp_path):
    run_example(name, tmp_path)
