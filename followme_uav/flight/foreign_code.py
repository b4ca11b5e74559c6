"""Imports a class that a user names on the command line: `module:Class` or `FILE.py:Class`.

This runs the user's code. A name from a log, or from any other file, must not get here.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from followme_uav.errors import PilotError

logger = logging.getLogger(__name__)


def load(name: str, option: str) -> Callable[..., Any]:
    """Import what a name refers to.

    The current folder comes last in the search for a module, so that no file in it replaces an
    installed package. The folder of a FILE.py serves its own imports.

    Args:
        name: `module:Class`, `FILE.py:Class`; a class, or a function that makes an object.
        option: Origin of the name, for messages.

    Raises:
        PilotError: The module cannot be imported, or has no such class.
    """
    origin, _, attribute = name.rpartition(":")
    said = f"{option} {name}"
    if not origin or not attribute.isidentifier():
        raise PilotError(f"{said}: write it as module:Class or FILE.py:Class")
    module = (
        _module_of_file(Path(origin), said) if origin.endswith(".py") else _module(origin, said)
    )
    found = getattr(module, attribute, None)
    if found is None:
        own = [key for key, value in vars(module).items() if _is_own_class(value, module)]
        hint = f"; it has {', '.join(own)}" if own else ""
        raise PilotError(f"{said}: {origin} has no '{attribute}'{hint}")
    if not callable(found):
        raise PilotError(f"{said}: '{attribute}' is no class and no function")
    made: Callable[..., Any] = found
    return made


def source_of(code: Callable[..., Any]) -> Path | None:
    """The file that holds a class or function; None where there is none."""
    try:
        file = inspect.getsourcefile(code)
    except TypeError:  # an object with __call__
        return None
    return None if file is None or not Path(file).is_file() else Path(file)


def _module(origin: str, said: str) -> ModuleType:
    _search_in(Path.cwd())
    try:
        return importlib.import_module(origin)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{origin}.".startswith(f"{error.name}."):
            raise _failed(said, error) from error
        raise PilotError(
            f"{said}: there is no module '{error.name}', neither installed nor in {Path.cwd()}; "
            "give the file instead: path/to/file.py:Class"
        ) from error
    except (Exception, SystemExit) as error:
        raise _failed(said, error) from error


def _module_of_file(path: Path, said: str) -> ModuleType:
    if not path.is_file():
        raise PilotError(f"{said}: there is no file {path}")
    path = path.resolve()
    name = f"followme_user_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    _search_in(path.parent)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PilotError(f"{said}: {path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses in the file look it up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _failed(said, error) from error
    return module


def _search_in(folder: Path) -> None:
    if str(folder) not in map(os.path.abspath, sys.path):
        sys.path.append(str(folder))


def _failed(said: str, error: BaseException) -> PilotError:
    logger.debug("%s: import failed", said, exc_info=True)
    text = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        where = f" ({Path(error.filename or '?').name}, line {error.lineno})"
        text = error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        inside = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
        where = "".join(f" ({Path(f.filename).name}, line {f.lineno})" for f in inside[-1:])
    return PilotError(f"{said}: cannot be imported: {type(error).__name__}: {text:.300}{where}")


def _is_own_class(value: Any, module: ModuleType) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__
