"""The one way in which this program writes files: whole, or not at all.

Content goes into a temporary file in the folder of the file to write, onto the disk, and then takes
the file's name. A full disk, an error or Ctrl-C leaves what was there before. A symbolic link is
followed: the file that it points to is replaced, the link stays. What is no regular file (a pipe,
a terminal, /dev/null), and what the shell has directed our own output to, is written directly.

Flight logs are streams and are not written here, see `log.writer`.
"""

from __future__ import annotations

import errno
import io
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from followme_uav.errors import ConfigError, OutputError
from followme_uav.sole_use import check_free, sole_use

if TYPE_CHECKING:
    import h5py
    from matplotlib.figure import Figure
    from PIL.Image import Image

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""What file systems answer that do not know how to sync."""
_LONGEST_SUFFIX = 8


def write_whole(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a file.

    Args:
        path: The file; its folder is made.
        content: All of it.
        sync: Wait until the disk has it. Without, a power cut may take it; for one of thousands.

    Raises:
        OutputError: It cannot be written.
    """
    with _explained(path):
        if _is_direct(path):
            _write_directly(path, content)
            return
        with _part(path, "") as part:
            _fill(part, content, sync)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8; raises as `write_whole`."""
    write_whole(path, text.encode())


def write_image(path: Path, image: Image, *, sync: bool = True, **options: Any) -> None:
    """Write an image of Pillow in the format that its name ends in; raises as `write_whole`."""
    from PIL.Image import registered_extensions

    content = io.BytesIO()
    image.save(content, registered_extensions()[path.suffix.lower()], **options)
    write_whole(path, content.getvalue(), sync=sync)


def write_figure(path: Path, figure: Figure, **options: Any) -> None:
    """Write a figure of Matplotlib in the format that its name ends in; as `write_whole`."""
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lower().removeprefix("."), **options)
    write_whole(path, content.getvalue())


def write_hdf5(path: Path, fill: Callable[[h5py.File], object]) -> None:
    """Write what `fill` puts into an HDF5 file; raises as `write_whole`.

    The file is made in memory: HDF5's own writing ends the process when the disk is full.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
    write_whole(path, content.getvalue())


def write_json(path: Path, data: Any) -> None:
    """Write JSON as people read it, without NaN; raises as `write_whole`."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name to write to, for libraries that insist on opening the file themselves.

    The name has the ending of `path`. What was written under it becomes `path` at the end of the
    block; after an exception it is removed.

    Raises:
        OutputError: It cannot be written; also instead of an `OSError` out of the block.
    """
    with _explained(path):
        if _is_direct(path):
            with TemporaryDirectory(prefix="followme-uav-") as folder:
                made = Path(folder) / f"part{_suffix(path)}"
                yield made
                _write_directly(path, made.read_bytes())
            return
        with _part(path, _suffix(path)) as part:
            yield part
            number = os.open(part, os.O_RDWR)
            try:
                _sync(number)
            finally:
                os.close(number)


def is_same_file(first: Path, second: Path) -> bool:
    """Whether two names stand for one file: through links, relative paths or other spelling."""
    try:
        return first.samefile(second)
    except OSError:  # one of them is not there
        return first.resolve() == second.resolve()


def check_writable(path: Path, *inputs: Path | None) -> None:
    """Find out before the long work whether a file can be written; leaves what is there.

    Raises:
        ConfigError: The file is one of the command's own inputs.
        InUseError: Another process writes it.
        OutputError: It cannot be written.
    """
    for kept in inputs:
        if kept is not None and is_same_file(kept, path):
            raise ConfigError(f"{path}: would overwrite {kept}, which is read; choose another file")
    check_free(path)
    with _explained(path), suppress(_Undone):
        if _is_direct(path):
            if not os.access(path, os.W_OK):  # opening a pipe could wait for its reader
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        with _part(path, ""):
            raise _Undone


def append_line(path: Path, line: str) -> None:
    """Add a line to a text that grows; whole or not at all.

    Raises:
        OutputError: It cannot be added.
    """
    with _explained(path):
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        size = os.fstat(number).st_size
        try:
            _write_all(number, f"{line}\n".encode())
        except BaseException:
            with suppress(OSError):
                os.truncate(path, size)
            raise


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there.

    Raises:
        OutputError: It cannot be made.
    """
    with _explained(folder, "folder"):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def sole_folder(folder: Path) -> Iterator[None]:
    """Hold a folder of results against other processes; it is made if it is not there.

    Raises:
        InUseError: Another process writes to it.
        OutputError: It cannot be made.
    """
    is_new = not folder.exists()
    make_folder(folder)
    try:
        with sole_use(folder):
            yield
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # if nothing came into it


def why(error: OSError) -> str:
    """The cause of an error, and its remedy where that is not obvious."""
    cause = error.strerror or str(error)
    return f"{cause}: free some space" if error.errno in _FULL else cause


class _Undone(Exception):
    """Ends a trial."""


@contextmanager
def _explained(path: Path, what: str = "file") -> Iterator[None]:
    """Trouble with the file system becomes one line."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        folders = [path, *path.parents] if what == "folder" else path.parents
        in_the_way = next((f for f in folders if f.exists() and not f.is_dir()), path.parent)
        raise OutputError(f"{path}: {in_the_way} is no folder; choose another {what}") from error
    except OSError as error:
        raise OutputError(f"{path}: cannot write ({why(error)}); choose another {what}") from error


@contextmanager
def _part(path: Path, suffix: str) -> Iterator[Path]:
    """A temporary file beside `path`, which takes its place at the end of the block."""
    target = Path(os.path.realpath(path))
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    old = _permissions(target)
    # Hidden, so that nobody takes it for data; short, as names have a longest length.
    part = target.parent / f".{os.getpid()}-{secrets.token_hex(4)}.part{suffix}"
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        if old is not None:
            _keep_permissions(part, old)
        yield part
        check_free(target)
        part.replace(target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _permissions(target: Path) -> os.stat_result | None:
    """Those of the file that is there; raises `OSError` when it must not be written to."""
    try:
        number = os.open(target, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.fstat(number)
    finally:
        os.close(number)


def _keep_permissions(part: Path, old: os.stat_result) -> None:
    with suppress(OSError):  # a file system that has none
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.chown(part, old.st_uid, old.st_gid)
        part.chmod(stat.S_IMODE(old.st_mode))


def _is_direct(path: Path) -> bool:
    """Whether there is something that cannot be replaced by a file."""
    try:
        there = path.stat()
    except OSError:
        return False
    if not stat.S_ISREG(there.st_mode):
        return not stat.S_ISDIR(there.st_mode)
    return any(_is_open_as(number, there) for number in (1, 2))


def _is_open_as(number: int, there: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(number), there)
    except OSError:
        return False


def _write_directly(path: Path, content: bytes) -> None:
    for stream in (sys.stdout, sys.stderr):  # what was printed comes before
        if stream is not None:
            stream.flush()
    with suppress(BrokenPipeError):  # whoever read it has had enough
        _write_all(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), content)


def _fill(part: Path, content: bytes, sync: bool) -> None:
    _write_all(os.open(part, os.O_WRONLY | os.O_CLOEXEC), content, sync=sync)


def _write_all(number: int, content: bytes, *, sync: bool = False) -> None:
    """Write to a file descriptor, and close it."""
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(number, rest) :]
        if sync:
            _sync(number)
    except BaseException:
        with suppress(OSError):
            os.close(number)
        raise
    os.close(number)  # some file systems tell only now that they are full


def _sync(number: int) -> None:
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def _suffix(path: Path) -> str:
    return path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
