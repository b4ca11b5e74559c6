"""Imports the programs in `tools/`, which are no package, for tests."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@contextmanager
def imported_tool(name: str) -> Iterator[ModuleType]:
    """Import a program by its name, and keep its folder importable until the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        yield importlib.import_module(name)
