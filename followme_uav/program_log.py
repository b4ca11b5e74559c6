"""The program log: what the modules report through Python's `logging` while they work.

Each module logs to `logging.getLogger(__name__)`, and the package configures nothing. The command
line calls `set_up`. The processes that it starts call `set_up_child`: they inherit level and file
through the environment, and append to the same file.

A line on the console is "followme-uav: warning: TEXT". A line of the file also has time, process
and module. Neither a closed console nor a full disk raises anything once the log is set up.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from followme_uav.errors import OutputError, printable
from followme_uav.files import why

PACKAGE = "followme_uav"
VARIABLE = "FOLLOWME_UAV_PROGRAM_LOG"
"""Environment variable that passes level and file to child processes, as JSON."""
PRINTED = "printed"
"""Topic of records whose text the command prints itself: they go to the file only."""
TRANSITION = "transition"
"""Topic of changes of the mission state, see `printed_by_command`."""

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
"""Lowest level on the console, by the number of -v."""
_ERASE_LINE = "\r\x1b[2K"
_RELAYED = re.compile(r"followme-uav(?: [\w ]+)?: (debug|info|warning|error|critical): ")
_TRIED_BYTES = 512


def set_up(verbosity: int = 0, file: Path | None = None) -> None:
    """Log to the console and to a file, in this process and in those that it starts.

    A second call replaces the first.

    Args:
        verbosity: 0: warnings; 1: information as well; 2 or more: everything, with tracebacks and
            the messages of libraries.
        file: File to append to, which gets all messages of this package; None: no file.

    Raises:
        OutputError: The file cannot be written.
    """
    finish()
    handler = None
    if file is not None:
        handler = _FileHandler(_absolute(file), "command")
        handler.write_first_line()
        os.environ[VARIABLE] = json.dumps({"verbosity": verbosity, "file": str(handler.path)})
    elif verbosity:
        os.environ[VARIABLE] = json.dumps({"verbosity": verbosity})
    _install(_ConsoleHandler("", verbosity), handler, verbosity)


def set_up_child(process: str) -> None:
    """Log as the parent process does; without a log there, warnings go to the console.

    Args:
        process: The task of this process, which names it in each line.
    """
    verbosity, file = 0, None
    with suppress(ValueError, TypeError, KeyError, AttributeError):  # set by another program
        inherited = json.loads(os.environ.get(VARIABLE, "{}"))
        verbosity, file = int(inherited["verbosity"]), inherited.get("file")
    handler, problem = None, None
    if isinstance(file, str):
        try:
            handler = _FileHandler(Path(file), process)
        except OutputError as error:
            problem = error
    _install(_ConsoleHandler(process, verbosity), handler, verbosity)
    if problem is not None:
        logging.getLogger(__name__).warning("the %s has no log file: %s", process, problem)


def finish() -> None:
    """Remove what `set_up` has installed."""
    root = logging.getLogger()
    for handler in _handlers():
        root.removeHandler(handler)
        handler.close()
        root.setLevel(logging.WARNING)
        logging.getLogger(PACKAGE).setLevel(logging.NOTSET)
        logging.captureWarnings(False)
    os.environ.pop(VARIABLE, None)


def quieten() -> None:
    """Show only errors on the console, unless -v was given: for flights with injected faults."""
    for handler in _handlers():
        if isinstance(handler, _ConsoleHandler) and handler.level == logging.WARNING:
            handler.setLevel(logging.ERROR)


@contextmanager
def printed_by_command(topic: str) -> Iterator[None]:
    """Keep records with this topic (`extra={"topic": ...}`) off the console during the block."""
    consoles = [handler for handler in _handlers() if isinstance(handler, _ConsoleHandler)]
    for console in consoles:
        console.hidden.add(topic)
    try:
        yield
    finally:
        for console in consoles:
            console.hidden.discard(topic)


def relay(line: str) -> bool:
    """Show a line that a child process has logged to its standard error.

    Returns:
        Whether the line is one of a child's log, and this process has a console for it. The file
        has the line already.
    """
    form = _RELAYED.match(line)
    if form is None:
        return False
    level = logging.getLevelName(form[1].upper())
    consoles = [handler for handler in _handlers() if isinstance(handler, _ConsoleHandler)]
    for console in consoles:
        if level >= console.level:
            with console.locked():
                console.write(line)
    return bool(consoles)


class _ConsoleHandler(logging.Handler):
    """Writes a record as one line to standard error.

    Where Rich shows a status line, it has replaced `sys.stderr`, and prints the line above it.
    """

    def __init__(self, process: str, verbosity: int) -> None:
        super().__init__(_LEVELS[min(verbosity, len(_LEVELS) - 1)])
        self.hidden = {PRINTED}
        """Topics that are not shown."""
        self._prefix = f"followme-uav {process}:" if process else "followme-uav:"
        self._in_full = self.level == logging.DEBUG
        self._is_child = bool(process)
        self.addFilter(lambda record: getattr(record, "topic", "") not in self.hidden)

    def emit(self, record: logging.LogRecord) -> None:
        self.write(self.format(record))

    def format(self, record: logging.LogRecord) -> str:
        module = f" {_short(record.name)}:" if self._in_full else ""
        text = f"{self._prefix} {record.levelname.lower()}:{module} {_one_line(record)}"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and self._in_full:
            return f"{text}\n{_traceback(record)}"
        cause = "" if error is None else f" ({type(error).__name__}: {printable(str(error))})"
        return f"{text}{cause}"

    def write(self, line: str) -> None:
        """Write a line; a console that is closed gets none."""
        stream = sys.stderr
        with suppress(OSError, ValueError, AttributeError):
            # The status line of the parent process may stand there.
            erase = _ERASE_LINE if self._is_child and stream.isatty() else ""
            stream.write(f"{erase}{line}\n")
            stream.flush()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no record be written during the block."""
        self.acquire()
        try:
            yield
        finally:
            self.release()


class _FileHandler(logging.Handler):
    """Appends each record to a file, in one write, so that several processes can share the file.

    Args:
        path: The file, absolute; its folder is created.
        process: The task of this process.

    Raises:
        OutputError: The file cannot be opened, or is no text.
    """

    def __init__(self, path: Path, process: str) -> None:
        self._descriptor = _open(path)  # first: `logging` keeps each handler that is made
        super().__init__(logging.DEBUG)
        self.path = path
        self._process = f"{os.getpid()} {process}"
        self._lost = 0

    def write_first_line(self) -> None:
        """Write the command; raises `OutputError` where the disk takes nothing."""
        from followme_uav import __version__

        record = logging.makeLogRecord({"name": PACKAGE, "levelname": "INFO"})
        command = " ".join(sys.argv[1:])
        record.msg = f"followme-uav {__version__}, Python {sys.version.split()[0]}: {command}"
        try:
            self._append(self.format(record))
        except OSError as error:
            self.close()
            raise _cannot_write(self.path, error) from error

    def format(self, record: logging.LogRecord) -> str:
        created = datetime.fromtimestamp(record.created).astimezone()
        time, name = created.isoformat(timespec="milliseconds"), _short(record.name)
        line = f"{time} {self._process} {record.levelname} {name}: {_one_line(record)}"
        return f"{line}\n{_traceback(record)}" if record.exc_info else line

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        try:
            if self._lost:
                self._append(f"\n({self._lost} lines are missing: they could not be written)")
                self._lost = 0
            self._append(line)
        except OSError as error:
            self._lost += 1
            if self._lost == 1:
                self._report(error)

    def close(self) -> None:
        super().close()
        number, self._descriptor = self._descriptor, -1
        if number >= 0:
            with suppress(OSError):
                os.close(number)

    def _append(self, text: str) -> None:
        data = f"{text}\n".encode(errors="backslashreplace")
        if os.write(self._descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _report(self, error: OSError) -> None:
        for handler in _handlers():
            if isinstance(handler, _ConsoleHandler):
                with handler.locked():
                    handler.write(
                        f"followme-uav: warning: {self.path}: cannot write ({why(error)}); "
                        "lines of the program log are lost"
                    )


def _install(console: _ConsoleHandler, file: _FileHandler | None, verbosity: int) -> None:
    root = logging.getLogger()
    root.addHandler(console)
    if file is not None:
        root.addHandler(file)
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.WARNING)
    level = logging.DEBUG if file is not None else min(console.level, logging.WARNING)
    logging.getLogger(PACKAGE).setLevel(level)
    if verbosity:
        logging.captureWarnings(True)


def _handlers() -> list[_ConsoleHandler | _FileHandler]:
    found = logging.getLogger().handlers
    return [one for one in found if isinstance(one, (_ConsoleHandler, _FileHandler))]


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError as error:  # the current folder was removed
        raise _cannot_write(path, error) from error


def _open(path: Path) -> int:
    """Open a text file for appending; raises `OutputError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A pipe without a reader would block without O_NONBLOCK.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        number = os.open(path, flags, 0o666)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        if stat.S_ISREG(os.fstat(number).st_mode):
            _check_text(path)
            _lock(path, number)
    except BaseException:
        os.close(number)
        raise
    return number


def _check_text(path: Path) -> None:
    """Refuse a flight log, weights or another file that lines of text would damage."""
    start = b""
    with suppress(OSError), path.open("rb") as file:  # it may be writable only
        start = file.read(_TRIED_BYTES)
    if b"\0" in start:
        raise OutputError(f"{path}: is no text file; choose another file for --log-file")


def _lock(path: Path, number: int) -> None:
    """Share the file with other program logs, but not with a flight log."""
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"{path}: another program writes there; choose another file for --log-file"
        ) from None
    except OSError:
        return  # a file system without locks


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot write ({why(error)}); choose another file for --log-file")


def _short(name: str) -> str:
    return name.removeprefix(f"{PACKAGE}.")


def _one_line(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception:  # a library, or a pilot of a user, logs values that its text has no place for
        text = f"{record.msg} {record.args}"
    return printable(text).strip()


def _traceback(record: logging.LogRecord) -> str:
    text = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    return "\n".join("    " + printable(line) for line in text.splitlines())
