"""Output to terminals, pipes and files of any width and encoding.

`prepare_streams` is called before any output. From then on

- a character that the encoding lacks is replaced by a similar one, and raises no exception;
- a closed pipe or terminal (`| head`) ends the output, not the work: the command continues, and
  ends with its own exit code;
- any other error, such as a full disk behind `> file`, is kept for `finish_streams`.

This module also makes consoles and prints tables. Numbers in tables are never cut: where a terminal
is too narrow, a table is printed row by row; in a pipe, lines have any length.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import shutil
import sys
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from followme_uav.errors import EnvironmentSetupError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_UNLIMITED_COLUMNS = 10_000
"""Width of pipes and files."""
_SIMILAR = {
    **dict.fromkeys("‐‑‒–—―−─━═╌╴╶╸╺╼╾", "-"),
    **dict.fromkeys("│┃║╎╏", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋┡┩┢┪╇╈┠┨┯┷┿╔╗╚╝╠╣╦╩╬╞╡╪", "+"),
    **dict.fromkeys("‘’‚′", "'"),
    **dict.fromkeys("“”„″", '"'),
    **dict.fromkeys("•·∙●", "*"),
    **{"…": "...", "→": "->", "←": "<-", "×": "x", "≤": "<=", "≥": ">=", "±": "+-"},
    **{"✓": "ok", "✔": "ok", "✗": "x", "✘": "x", "°": "deg", "µ": "u", "μ": "u", "ß": "ss"},
}
_CLOSED = (errno.EPIPE, errno.EIO)
"""Errors of a closed pipe, and of a closed terminal."""
_ERRORS = "followme-uav-plain"


def prepare_streams() -> None:
    """Make standard output and error tolerant, for this process and its children."""
    codecs.register_error(_ERRORS, _plain)
    _fill_closed_descriptors()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before the process began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif stream is getattr(sys, f"__{name}__") and not _is_tolerant(stream):
            setattr(sys, name, _tolerant(stream))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def finish_streams() -> None:
    """Flush the output.

    Raises:
        EnvironmentSetupError: A part of standard output was not written, and it is not closed.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _TolerantWriter) and raw.error is not None:
        cause, raw.error = raw.error, None
        raise EnvironmentSetupError(
            f"standard output: cannot write ({cause.strerror}); part of the output is missing"
        )


def make_console(*, stderr: bool = False, markup: bool = True) -> Console:
    """Return a console for standard output or error, with its width and encoding.

    Args:
        stderr: Write to standard error.
        markup: Read words in brackets as styles of Rich; names of files may have brackets, too.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # With the stream, Rich draws tables with characters of its encoding.
    console = Console(file=stream, stderr=stderr, markup=markup)
    columns = os.environ.get("COLUMNS", "")
    if not console.is_terminal and not (columns.isdigit() and console.width):
        console.width = _UNLIMITED_COLUMNS
    elif not console.width:  # COLUMNS=0, with which Rich prints nothing, says that it is unknown
        console.width = shutil.get_terminal_size().columns
    return console


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table, row by row if the console is too narrow for its words and numbers."""
    console = console or make_console()
    if _fit(table, console):
        console.print(table)
        return
    for part in _row_by_row(table):
        console.print(part, highlight=False)


def print_summary_table(title: str, values: Mapping[str, object], console: Console) -> None:
    """Print values by their names."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, show_header=False)
    for name, value in values.items():
        table.add_row(name, escape(_readable(value)))
    print_table(table, console)


def _readable(value: object) -> str:
    """A value of a summary as text: numbers with three digits, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_readable(item) for item in value) or "none"
    return str(value)


class _TolerantWriter(io.RawIOBase):
    """Writes to a file descriptor until an error; the rest is dropped."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._has_failed = False
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def write(self, data: Any) -> int | None:
        size = len(memoryview(data).cast("B"))
        if self._has_failed:
            return size
        try:
            # None: another program that shares the terminal or pipe has made it non-blocking.
            while (written := self._raw.write(data)) is None:
                select.select([], [self._raw], [])
            return written
        except OSError as error:
            self._has_failed = True
            if error.errno not in _CLOSED:
                self.error = error
            return size


def _is_tolerant(stream: Any) -> bool:
    return isinstance(getattr(getattr(stream, "buffer", None), "raw", None), _TolerantWriter)


def _tolerant(stream: TextIO) -> TextIO:
    """Return a stream that writes to the same file and tolerates errors."""
    with suppress(OSError):
        stream.flush()
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if raw is None:  # not backed by a file
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(cast(io.RawIOBase, _TolerantWriter(raw))),
        encoding=stream.encoding,
        errors=_ERRORS,
        line_buffering=stream.isatty() or stream is sys.__stderr__,
        write_through=False,
    )


def _fill_closed_descriptors() -> None:
    """Open /dev/null for closed descriptors: the next opened file would become the output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: replace characters that the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    encoding, text = error.encoding, error.object[error.start : error.end]
    return "".join(_similar(character, encoding) for character in text), error.end


def _similar(character: str, encoding: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    base = "".join(part for part in decomposed if not unicodedata.combining(part))
    for similar in (_SIMILAR.get(character), base):
        if similar:
            with suppress(UnicodeEncodeError):
                similar.encode(encoding)
                return similar
    return character.encode("ascii", "backslashreplace").decode()


def _fit(table: Table, console: Console) -> bool:
    """Set the widths of the columns so that no word is broken; False if there is no room.

    Rich reduces the widest column first, and cuts the words that do not fit.
    """
    from rich.measure import Measurement

    unlimited = console.options.update(max_width=_UNLIMITED_COLUMNS)
    needs = []
    for column in table.columns:
        texts = [*column.cells, *([column.header] if table.show_header else [])]
        texts += [column.footer] if table.show_footer else []
        cells = [Measurement.get(console, unlimited, text) for text in texts]
        widest = max((cell.maximum for cell in cells), default=0)
        needs.append((max((cell.minimum for cell in cells), default=0), widest))
    whole = Measurement.get(console, unlimited, table).maximum
    spare = console.width - whole + sum(most - least for least, most in needs)
    if spare < 0:
        return False
    if whole > console.width:
        wishes = [most - least for least, most in needs]
        for column, (least, _), wish in zip(table.columns, needs, wishes, strict=True):
            column.width = least + spare * wish // max(sum(wishes), 1)
            column.no_wrap, column.overflow = False, "fold"
    return True


def _row_by_row(table: Table) -> list[RenderableType]:
    """Return the content as a list: the first cell of each row, and below it the others."""
    from rich.text import Text

    def text_of(cell: Any) -> Text:
        return cell.copy() if isinstance(cell, Text) else Text.from_markup(str(cell))

    parts: list[RenderableType] = []
    if table.title:
        parts.append(text_of(table.title))
    titles = [_one_line(text_of(column.header)) for column in table.columns]
    cells = [[text_of(cell) for cell in column.cells] for column in table.columns]
    for row in zip(*cells, strict=True):
        parts.append(row[0])
        for title, cell in zip(titles[1:], row[1:], strict=True):
            if cell.plain:
                label = f"  {title.plain}: " if title.plain else "  "
                parts.append(Text(label).append_text(_one_line(cell)))
    if table.show_footer:
        for title, column in zip(titles, table.columns, strict=True):
            footer = _one_line(text_of(column.footer))
            if footer.plain:
                parts.append(Text(f"{title.plain}: ").append_text(footer))
    if table.caption:
        parts.append(text_of(table.caption))
    return parts


def _one_line(text: Any) -> Any:
    """Replace line breaks by spaces."""
    from rich.text import Text

    return Text(" ").join(text.split("\n")) if "\n" in text.plain else text
