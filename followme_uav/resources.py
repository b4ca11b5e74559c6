"""Files that travel with the program, and the user's own files, which win over them.

Both have the layout of the repository's folder `configs`: `default.yaml`, `tuning.yaml`, and the
folders `simulators`, `scenarios`, `training`, `experiments` and `vehicles`; networks are in
`weights`. The name of a file is its path in this layout, for example `simulators/embedded.yaml`.

The user's folder is `followme-uav` in `$XDG_CONFIG_HOME`, or in `~/.config`. The environment
variable `FOLLOWME_UAV_CONFIG_DIR` names another one; empty, it stands for none.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from followme_uav.errors import ConfigError

VARIABLE = "FOLLOWME_UAV_CONFIG_DIR"
WEIGHTS = "weights"


def shipped(name: str) -> Path:
    """Return the path of a file or folder that travels with the program; it need not exist."""
    top, _, rest = name.partition("/")
    return _folder(WEIGHTS) / rest if top == WEIGHTS else _folder("configs") / name


def user_folder() -> Path | None:
    """Return the user's folder, or None if there is none.

    Raises:
        ConfigError: The environment variable names something that is no folder.
    """
    named = os.environ.get(VARIABLE)
    folder = _user_path()
    if folder is None or folder.is_dir():
        return folder
    if named:
        raise ConfigError(f"{VARIABLE}={named}: no such folder; create it, or unset the variable")
    return None


def user_file(name: str) -> Path | None:
    """Return the user's file of that name, or None without one."""
    folder = _user_path()
    path = None if folder is None else folder / name
    return path if path is not None and path.is_file() else None


def find(name: str) -> Path:
    """Return the user's file of that name, or the shipped one, which need not exist."""
    return user_file(name) or shipped(name)


def found_in(folder: str, suffix: str = ".yaml") -> dict[str, Path]:
    """Return the files of a folder by their names without suffix, the user's before shipped ones.

    Args:
        folder: For example `scenarios`.
        suffix: The ending of the files.
    """
    found = {path.stem: path for path in all_in(folder, suffix)}
    return dict(sorted(found.items()))


def all_in(folder: str, suffix: str) -> list[Path]:
    """Return the shipped files of a folder and then the user's, also those of the same name."""
    own = _user_path()
    folders = [shipped(folder)] if own is None else [shipped(folder), own / folder]
    return [path for each in folders for path in sorted(each.glob(f"*{suffix}"))]


def named(name: str | Path, folder: str, what: str, suffix: str = ".yaml") -> Path:
    """Return the file that an argument stands for: a path, or the name of a file in a folder.

    Args:
        name: A name has no ending, and there is no such file in the working directory.
        folder: For example `scenarios`.
        what: The kind of the file, for the message.
        suffix: The ending of the files.

    Raises:
        ConfigError: The name is unknown.
    """
    path = Path(name)
    if path.suffix or len(path.parts) != 1 or path.exists():
        return path
    known = found_in(folder, suffix)
    if path.name not in known:
        raise ConfigError(f"{what} '{name}' is unknown; give a file, or one of {', '.join(known)}")
    return known[path.name]


def is_shipped(path: Path) -> bool:
    """Whether a file travels with the program."""
    return any(path.is_relative_to(_folder(name)) for name in ("configs", WEIGHTS))


def name_of(path: Path) -> str:
    """Return the name of a shipped file or of one of the user's; of another file its path."""
    folders = [(_folder("configs"), ""), (_folder(WEIGHTS), f"{WEIGHTS}/"), (_user_path(), "")]
    for folder, prefix in folders:
        if folder is not None and path.is_relative_to(folder):
            return prefix + path.relative_to(folder).as_posix()
    return str(path)


def _folder(name: str) -> Path:
    """Return a shipped folder: inside of the installed package, or beside it in a checkout."""
    package = Path(str(files("followme_uav")))
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def _user_path() -> Path | None:
    """Return the path of the user's folder, which need not exist; None if it is switched off."""
    own = os.environ.get(VARIABLE)
    if own is not None:
        return Path(os.path.expanduser(own)) if own else None
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: such a value is to be ignored
        base = os.path.expanduser("~/.config")
    return Path(base) / "followme-uav" if os.path.isabs(base) else None
