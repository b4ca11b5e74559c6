"""If these fail, the program works in its repository, and not where somebody installs it.

The wheel is built from the source distribution, and installed into an environment of its own that
shares the dependencies of this one. All commands run in an empty folder.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from followme_uav import __version__

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 240
FOLDERS = ("followme_uav", "configs", "weights")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
BUILD_SDIST = "from setuptools import build_meta; print(build_meta.build_sdist('.'))"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * DEADLINE_S)]


def run(*command, folder, **environment):
    """Run a command without the repository on the path; return its standard output."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**inherited, "COLUMNS": "200", **environment},
    )
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build in a copy: setuptools leaves folders beside the sources."""
    folder = tmp_path_factory.mktemp("sources")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    *_, sdist = run(sys.executable, "-c", BUILD_SDIST, folder=folder).split()
    pip = (sys.executable, "-m", "pip", "--no-cache-dir", "wheel")
    offline = ("--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, *offline, "--wheel-dir", "built", sdist, folder=folder)
    (built,) = (folder / "built").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bin_folder(wheel, tmp_path_factory):
    """Return the folder of programs of an environment with the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python3*/site-packages")
    # Paths in a .pth file are only added to sys.path: .pth files there, as of the editable install
    # of the repository, have no effect.
    shared = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "shared.pth").write_text("\n".join(sorted(shared)) + "\n")
    pip = (sys.executable, "-m", "pip", "--no-cache-dir", "--python", python, "install")
    run(*pip, "--no-deps", "--no-index", wheel, folder=folder)
    return folder / "bin"


@pytest.fixture
def installed(bin_folder, tmp_path):
    """Run a program of the environment in an empty folder; return its output."""

    def run_installed(program, *arguments, **environment):
        return run(bin_folder / program, *arguments, folder=tmp_path, **environment)

    return run_installed


def test_wheel_contains_every_file_that_the_program_reads(wheel):
    inside = {f"followme_uav/{name}": ROOT / name for name in ("configs", "weights")}
    expected = {
        f"{name}/{path.relative_to(folder)}"
        for name, folder in {**inside, "followme_uav": ROOT / "followme_uav"}.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert expected <= names
    assert {name for name in names - expected if ".dist-info/" not in name} == set()


def test_installed_program_is_the_one_of_the_wheel(installed, bin_folder):
    script = "import followme_uav; print(followme_uav.__file__)"
    assert Path(installed("python", "-c", script).strip()).is_relative_to(bin_folder.parent)
    assert installed("followme-uav", "--version") == f"followme-uav {__version__}\n"
    assert "Usage: python -m followme_uav" in installed("python", "-m", "followme_uav", "--help")
    assert "--report" in installed("followme-uav", "evaluate", "--help")


def test_installed_program_finds_its_configurations_and_weights(installed, bin_folder):
    found = json.loads(installed("followme-uav", "config", "show", "--json"))
    shipped = [origin for origin in found["origins"].values() if origin["kind"] == "shipped"]
    sources = {origin["source"] for origin in shipped}
    assert len(sources) > 1  # the default configuration, and a profile
    assert all(Path(source).is_relative_to(bin_folder.parent) for source in sources)
    scenarios = json.loads(installed("followme-uav", "scenario", "list", "--json"))
    names = {scenario["name"] for scenario in scenarios}
    assert {path.stem for path in (ROOT / "configs/scenarios").glob("*.yaml")} == names


def test_users_configuration_changes_the_installed_program(installed, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "default.yaml").write_text("patrol: {speed_mps: 2.5}\n")
    shown = installed("followme-uav", "config", "show", FOLLOWME_UAV_CONFIG_DIR=str(own))
    (line,) = [line for line in shown.splitlines() if line.endswith("# user's default.yaml")]
    assert line.split()[:2] == ["speed_mps:", "2.5"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_is_that_of_the_installed_program(installed, shell):
    # Without this variable the shell is the one that runs the program.
    detection = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = installed("followme-uav", "--show-completion", shell, **detection)
    assert f"_FOLLOWME_UAV_COMPLETE=complete_{shell}" in script


def test_commands_are_completed(installed):
    typed = {"COMP_WORDS": "followme-uav sc", "COMP_CWORD": "1"}
    program = installed("followme-uav", _FOLLOWME_UAV_COMPLETE="complete_bash", **typed)
    assert program == "scenario\n"


def test_installed_program_flies(installed):
    patient = ("--set", "rpc.deadline_s=60", "--log", "flight.mcap")
    installed("followme-uav", "fly", "--seed", "8", "--duration", "20", *patient)
    info = json.loads(installed("followme-uav", "log", "info", "flight.mcap", "--json"))
    assert info["duration_s"] >= 20.0
    assert not info["missing"]
