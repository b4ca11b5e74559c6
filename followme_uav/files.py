"""Atomic writing of files: a file is complete, or unchanged.

The content is written to a temporary file in the same folder, synced, and renamed. A full disk, an
error or Ctrl-C leaves the former file. A symbolic link is followed: its target is replaced and the
link stays. Two kinds of targets are written directly: those that are not regular files (a pipe, a
terminal, /dev/null), and the file to which the shell has redirected the output of this process.

Flight logs are streams, see `log.writer`.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
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

logger = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""Errors of file systems without sync."""
_LONGEST_SUFFIX = 8


def write_whole(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a file atomically.

    Args:
        path: The file; its folder is created.
        content: The content of the file.
        sync: Wait until the disk has the content. Without, a power cut may lose it: for sets of
            thousands of files.

    Raises:
        OutputError: It cannot be written.
    """
    with _as_output_error(path):
        if _is_direct(path):
            _write_directly(path, content)
            return
        with _part(path, "") as part:
            _fill(part, content, sync)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8; raises as `write_whole`."""
    write_whole(path, text.encode())


def write_image(path: Path, image: Image, *, sync: bool = True, **options: Any) -> None:
    """Write a Pillow image in the format of the file's ending; raises as `write_whole`."""
    from PIL.Image import registered_extensions

    content = io.BytesIO()
    image.save(content, registered_extensions()[path.suffix.lower()], **options)
    write_whole(path, content.getvalue(), sync=sync)


def write_figure(path: Path, figure: Figure, **options: Any) -> None:
    """Write a Matplotlib figure in the format of the file's ending; raises as `write_whole`."""
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lower().removeprefix("."), **options)
    write_whole(path, content.getvalue())


def write_hdf5(path: Path, fill: Callable[[h5py.File], object]) -> None:
    """Write an HDF5 file that `fill` fills; raises as `write_whole`.

    The file is made in memory: HDF5 ends the process when the disk is full.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
    write_whole(path, content.getvalue())


def write_json(path: Path, data: Any) -> None:
    """Write indented JSON without NaN; raises as `write_whole`."""
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a path to write to, for libraries that open files themselves.

    The path has the ending of `path`. The file written there becomes `path` at the end of the
    block; after an exception it is removed.

    Raises:
        OutputError: The file cannot be written, or the block raised an `OSError`.
    """
    with _as_output_error(path):
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
    """Whether two paths lead to one file, also through links or relative paths."""
    try:
        return first.samefile(second)
    except OSError:  # one of them does not exist
        # `Path.resolve` raises for circular links.
        return os.path.realpath(first) == os.path.realpath(second)


def check_writable(path: Path, *inputs: Path | None) -> None:
    """Check before the long work that a file can be written; leave it unchanged.

    Raises:
        ConfigError: The file is one of the command's own inputs.
        InUseError: Another process writes the file.
        OutputError: The file cannot be written.
    """
    for kept in inputs:
        if kept is not None and is_same_file(kept, path):
            raise ConfigError(f"{path}: would overwrite {kept}, which is read; choose another file")
    check_free(path)
    with _as_output_error(path), suppress(_Undone):
        if _is_direct(path):
            if not os.access(path, os.W_OK):  # opening a pipe could wait for its reader
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        with _part(path, ""):
            raise _Undone


def check_outputs(*paths: Path | None, inputs: Sequence[Path | None] = ()) -> None:
    """Check as `check_writable` that all files of a command can be written.

    Args:
        paths: Files to write; None for those that are not asked for.
        inputs: Files that the command reads.

    Raises:
        ConfigError: A file is one of the inputs, or two of the files are the same.
        InUseError: Another process writes one of the files.
        OutputError: A file cannot be written.
    """
    outputs = [path for path in paths if path is not None]
    for number, path in enumerate(outputs):
        check_writable(path, *inputs)
        for other in outputs[:number]:
            if is_same_file(path, other) and not _is_direct(path):  # /dev/null takes both
                raise ConfigError(f"{path}: would be written twice; choose another file")


def append_line(path: Path, line: str, *, sync: bool = False) -> None:
    """Append a line to a text file, completely or not at all.

    Args:
        path: The file; it is created.
        line: Text without the final line break.
        sync: Wait until the disk has the line.

    Raises:
        OutputError: The line cannot be written.
    """
    with _as_output_error(path):
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        size = os.fstat(number).st_size
        try:
            _write_all(number, f"{line}\n".encode(), sync=sync)
        except BaseException:
            with suppress(OSError):
                os.truncate(path, size)
            raise


def remove_file(path: Path) -> None:
    """Remove a file, if there is one; raises `OutputError`."""
    with _as_output_error(path):
        path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, if they do not exist.

    Raises:
        OutputError: The folder cannot be created.
    """
    with _as_output_error(folder, "folder"):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def sole_folder(folder: Path) -> Iterator[None]:
    """Lock a folder of results against other processes; create it if it does not exist.

    Raises:
        InUseError: Another process writes to the folder.
        OutputError: The folder cannot be created.
    """
    is_new = not folder.exists()
    make_folder(folder)
    try:
        with sole_use(folder):
            yield
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # only if it is empty


def why(error: OSError) -> str:
    """Return the cause of an error, and the remedy for a full disk."""
    cause = error.strerror or str(error)
    return f"{cause}: free some space" if error.errno in _FULL else cause


class _Undone(Exception):
    """Ends a trial of writing."""


@contextmanager
def _as_output_error(path: Path, what: str = "file") -> Iterator[None]:
    """Turn an `OSError` into an `OutputError` of one line."""
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
    """Yield a temporary file beside `path`, which replaces it at the end of the block."""
    target = Path(os.path.realpath(path))
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    old = _permissions(target)
    # Hidden, so that it is not mistaken for data; short, because file names have a limit.
    part = target.parent / f".{os.getpid()}-{secrets.token_hex(4)}.part{suffix}"
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        if old is not None:
            _keep_permissions(part, old)
        yield part
        check_free(target)
        part.replace(target)
        if old is not None:
            logger.info("%s is replaced.", target)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _permissions(target: Path) -> os.stat_result | None:
    """Return the status of an existing file; raise `OSError` if it is not writable."""
    try:
        number = os.open(target, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.fstat(number)
    finally:
        os.close(number)


def _keep_permissions(part: Path, old: os.stat_result) -> None:
    with suppress(OSError):  # a file system without permissions
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.chown(part, old.st_uid, old.st_gid)
        part.chmod(stat.S_IMODE(old.st_mode))


def _is_direct(path: Path) -> bool:
    """Whether the path leads to something that must not be replaced by a file."""
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
    for stream in (sys.stdout, sys.stderr):  # print earlier output first
        if stream is not None:
            stream.flush()
    with suppress(BrokenPipeError):  # the reader has closed the pipe
        _write_all(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), content)


def _fill(part: Path, content: bytes, sync: bool) -> None:
    _write_all(os.open(part, os.O_WRONLY | os.O_CLOEXEC), content, sync=sync)


def _write_all(number: int, content: bytes, *, sync: bool = False) -> None:
    """Write to a file descriptor and close it."""
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
    os.close(number)  # some file systems report a full disk only here


def _sync(number: int) -> None:
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
        logger.debug("The file system cannot synchronise a file with its disk: %s.", error.strerror)


def _suffix(path: Path) -> str:
    return path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
