"""Commands in README and docs work; links, paths, modules and keys that they name exist.

Fenced blocks marked `bash` are read line by line. `followme-uav ...` is run, each block in an empty
folder of its own; the target of `make ...` must exist; other lines are ignored. A comment right
above a block changes this:

    <!-- not run: REASON -->       only its options and targets are checked
    <!-- may exit 1: REASON -->    a flight in it may end without success
"""

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from followme_uav.config import FlightConfig
from followme_uav.config.aliases import ALIASES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "examples" / "README.md",
]
DEADLINE_S = 240
GROUPS = ("config", "log", "scenario", "campaign", "world")
"""Commands that have commands of their own."""
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--\s*(not run|may exit 1):\s*\S.*-->\s*\Z")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(
    r"(?<![\w./-])(?:followme_uav|configs|docs|examples|tests|tools|weights)/[\w./-]*\w"
)
MODULE = re.compile(r"(?<![\w./-])(\w+\.py)\b")
"""A module without its folder."""
OTHERS = {"navigate.py", "FILE.py", "slow.py"}
"""Modules of other projects and of users that pages name."""
KEY = re.compile(r"(?:`|--set )([a-z_]+)\.(?!py\b)([a-z_0-9]+)(?![\w*])")
"""Section and name of a configuration key."""
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """The commands of one fenced block."""

    page: str
    line: int
    commands: tuple[tuple[str, ...], ...]
    note: str | None
    """`not run`, `may exit 1`, or None."""

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks_of(text, page):
    for match in BLOCK.finditer(text):
        note = COMMENT.search(text[: match.start()])
        lines = match[1].replace("\\\n", " ").splitlines()
        commands = tuple(tuple(shlex.split(line, comments=True)) for line in lines)
        yield Block(
            page=page,
            line=text.count("\n", 0, match.start()) + 1,
            commands=tuple(command for command in commands if command),
            note=note and note[1],
        )


def name_of(page):
    return str(page.relative_to(ROOT))


BLOCKS = [block for page in PAGES for block in blocks_of(page.read_text(), name_of(page))]


def commands(program, *, run):
    """(block, arguments) of one program in the blocks that are run, or in all."""
    return [
        pytest.param(block, command[1:], id=f"{block} {' '.join(command[1:])[:40]}")
        for block in BLOCKS
        for command in block.commands
        if command[0] == program and not (run and block.note == "not run")
    ]


def followme(arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "followme_uav.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"},
    )


RUN = [block for block in BLOCKS if block.note != "not run"]


@pytest.mark.slow
@pytest.mark.timeout(3 * DEADLINE_S)
@pytest.mark.parametrize("block", RUN, ids=str)
def test_commands_do_what_the_page_promises(block, tmp_path):
    for program, *arguments in block.commands:
        if program != "followme-uav":
            continue
        done = followme(arguments, tmp_path)
        allowed = (0, 1) if block.note == "may exit 1" and arguments[0] == "fly" else (0,)
        what = f"{block}: followme-uav {' '.join(arguments)}\n{done.stdout[-2000:]}{done.stderr}"
        assert done.returncode in allowed, what


@pytest.fixture(scope="module")
def options_of():
    """Options that a command knows."""
    known = {}

    def options(arguments):
        is_command = not arguments[0].startswith("-")  # else an option of the program itself
        command = tuple(arguments[: 2 if arguments[0] in GROUPS else 1]) if is_command else ()
        if command not in known:
            help_page = followme([*command, "--help"], ROOT)
            assert help_page.returncode == 0, f"there is no 'followme-uav {' '.join(command)}'"
            known[command] = set(re.findall(r"--[a-z][a-z0-9-]*", help_page.stdout))
        return known[command]

    return options


@pytest.mark.parametrize(("block", "arguments"), commands("followme-uav", run=False))
def test_options_exist_also_where_nothing_is_run(block, arguments, options_of):
    used = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    assert used <= options_of(arguments)


@pytest.mark.parametrize(("block", "arguments"), commands("make", run=False))
def test_make_has_the_targets(block, arguments):
    done = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    targets = LINK.findall(FENCED.sub("", page.read_text()))
    inside = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
    missing = [t for t in inside if not (page.parent / t.partition("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_on_a_page_exist(page):
    """Also in blocks of code and their comments."""
    missing = {path for path in PATH.findall(page.read_text()) if not (ROOT / path).exists()}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_a_page_names_without_folder_exist(page):
    folders = (ROOT / "followme_uav", ROOT / "examples")
    known = {path.name for folder in folders for path in folder.rglob("*.py")} | OTHERS
    assert set(MODULE.findall(page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configuration_keys_on_a_page_exist(page):
    """A former name is a key, too, if the program still accepts it."""
    sections = FlightConfig.model_fields
    unknown = {
        f"{section}.{key}"
        for section, key in KEY.findall(page.read_text())
        if section in sections
        and key not in sections[section].annotation.model_fields
        and f"{section}.{key}" not in ALIASES
    }
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_imports_in_python_blocks_work(page):
    for block in PYTHON.findall(page.read_text()):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_knows_the_machine_it_was_written_on(page):
    assert not re.findall(r"(?:/home|/root|/tmp|/work|/Users)/\S*", page.read_text())


def test_the_reader_of_pages_sees_commands_and_notes():
    """Else all of the above would pass on pages that nobody checked."""
    text = (
        "Do\n```bash\nmake fly  # go\nfollowme-uav fly --seed 1 \\\n  --oracle\n```\n"
        "<!-- not run: takes an hour -->\n```bash\nfollowme-uav train\n```\n"
        "<!-- not run: -->\n```bash\nls\n```\n```python\nprint()\n```\n"
    )
    plain, not_run, no_reason = blocks_of(text, "page")
    assert plain.commands == (("make", "fly"), ("followme-uav", "fly", "--seed", "1", "--oracle"))
    assert (plain.note, not_run.note, no_reason.note) == (None, "not run", None)
    assert (plain.line, not_run.line) == (2, 8)


def test_the_readme_starts_with_a_flight():
    assert ("make", "fly") in BLOCKS[0].commands
