"""One pass over a delivered file by Python's own csv module, which is the arbiter of what a row is.

The lines are cut before they are decoded: in every encoding that a source may state, a line feed is one byte
that is part of no other character.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from regatta.config.dialect import Csv
from regatta.config.digest import digest
from regatta.config.table import Source

LONGEST = (
    64 * 1024**2
)  # bytes of a line, characters of a value: more is a quote or a line end that is missing
PIECE = 1024**2  # bytes read at a time
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Progress = Callable[[int], None]


class Readable(Protocol):
    """A stream of bytes: a local file, or an object's body."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


@dataclass(frozen=True)
class Scan:
    """What one pass has found.

    Attributes:
        bytes: the size of the file.
        sha256: of its content.
        rows: its data rows: blank lines and the header are none. None where there is a fault.
        header: its first row; empty for a file without any.
        fault: why it cannot be read with the source's settings; empty if it can.
    """

    bytes: int
    sha256: str
    rows: int | None
    header: tuple[str, ...]
    fault: str


class Unreadable(Exception):
    """The file cannot be read as CSV with the source's settings; says why, and in which line."""


def dialect(source: Source) -> str:
    """Names the settings that decide what a row is: equal for two sources exactly when these are."""
    if source.format == "parquet":
        return digest("parquet")
    csv = source.csv
    return digest([csv.separator, csv.quote, csv.encoding, csv.comment, csv.names is None])


def is_packed(name: str) -> bool:
    """Whether a file of this name is compressed by gzip, as Spark too tells by the name."""
    return name.endswith(".gz")


def scan(content: Readable, settings: Csv, progress: Progress | None = None, packed: bool = False) -> Scan:
    """Read a file once: its size, its hash, its rows or what keeps them from being counted.

    Args:
        content: the file, from its beginning.
        settings: of its source.
        progress: told the bytes read, a piece at a time.
        packed: whether gzip has compressed it; size and hash are of the bytes as they lie there.
    """
    tally = _Tally(content, progress)
    delivered = io.BufferedReader(tally, PIECE)
    lines: Any = gzip.GzipFile(fileobj=delivered) if packed else delivered
    rows, fault = 0, ""
    header = settings.names or ()
    try:
        for row in records(lines, settings):
            rows += 1
            header = header or tuple(row)
    except (Unreadable, *NOT_GZIP) as error:
        fault = _of_gzip(error) if isinstance(error, NOT_GZIP) else str(error)
    while delivered.read(PIECE):
        pass  # the hash is of the whole file
    count = rows if settings.names else max(rows - 1, 0)
    return Scan(tally.bytes, tally.hash.hexdigest(), None if fault else count, header, fault)


NOT_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
"""What Python raises for gzip that is none, is cut off, or is damaged."""


def _of_gzip(error: Exception) -> str:
    if "Not a gzipped file" in str(error):
        return "is not gzip, although its name ends in .gz"
    return "is gzip that is cut off" if isinstance(error, EOFError) else f"is gzip that is damaged ({error})"


def records(content: BinaryIO | io.BufferedReader, settings: Csv) -> Iterator[list[str]]:
    """The rows of a file, header first, blank lines left out.

    Raises:
        Unreadable: at the first place where Python's csv module (strict) and Spark could disagree on what a row
            is: undecodable bytes, NUL, quotes that do not pair, line ends of more than one kind.
    """
    csv.field_size_limit(LONGEST)
    lines = _Lines(content, settings)
    reader = csv.reader(lines, strict=True, **in_python(settings))
    try:
        for row in reader:
            lines.check_end(lines.of_this_record[-1])
            lines.of_this_record.clear()
            if row:
                yield row
    except csv.Error as error:
        raise Unreadable(_in_words(str(error), lines, settings)) from None


def in_python(settings: Csv, separator: str | None = None) -> dict[str, Any]:
    """The dialect as arguments of `csv.reader`."""
    quoting = csv.QUOTE_MINIMAL if settings.quote else csv.QUOTE_NONE
    return {"delimiter": separator or settings.separator, "quotechar": settings.quote, "quoting": quoting}


class _Tally(io.RawIOBase):
    """Counts and hashes the bytes on their way, a buffer at a time."""

    def __init__(self, content: Readable, progress: Progress | None) -> None:
        self.bytes = 0
        self.hash = hashlib.sha256()
        self._content = content
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        piece = self._content.read(len(buffer))
        buffer[: len(piece)] = piece
        self.hash.update(piece)
        self.bytes += len(piece)
        if self._progress and piece:
            self._progress(len(piece))
        return len(piece)


class _Lines:
    """Decoded lines without comments, and those of the row under way, for whoever must say where it began."""

    def __init__(self, content: BinaryIO | io.BufferedReader, settings: Csv) -> None:
        self.number = 0
        self.of_this_record: list[str] = []
        self._content = content
        self._encoding = settings.encoding
        self._comment = settings.comment
        self._end = ""

    def check_end(self, line: str) -> None:
        """Hold the end of a row or comment against those before it; the last line of a file needs none."""
        end = _line_end(line)
        if end != self._end and end and (before := self._end or end) != end:
            raise Unreadable(f"line {self.number} ends in {end}, the lines before it in {before}")
        self._end = self._end or end

    def __iter__(self) -> Iterator[str]:
        at = 0
        while line := self._content.readline(LONGEST):
            self.number += 1
            if len(line) == LONGEST:
                raise Unreadable(f"line {self.number} is longer than {LONGEST // 1024**2} MB")
            if b"\0" in line:
                raise Unreadable(f"line {self.number} holds a NUL byte")
            at += len(line)
            if self.number == 1 and self._encoding == "utf-8":
                line = line.removeprefix(BYTE_ORDER_MARK)
            try:
                text = line.decode(self._encoding)
            except UnicodeDecodeError as error:
                raise Unreadable(
                    f"is not {self._encoding}: byte 0x{line[error.start]:02x} in line {self.number}"
                    f" (byte {at - len(line) + error.start + 1:,} of the file)"
                ) from None
            if self._comment and not self.of_this_record and text.startswith(self._comment):
                self.check_end(text)
                continue
            self.of_this_record.append(text)
            yield text


def _line_end(line: str) -> str:
    if not line.endswith("\n"):
        return ""  # the last line of a file needs none
    return "CRLF" if line.endswith("\r\n") else "LF"


def _in_words(error: str, lines: _Lines, settings: Csv) -> str:
    """The csv module's message as a sentence with the line where the trouble began."""
    first = lines.number - len(lines.of_this_record) + 1
    if error.startswith("new-line character"):
        return f"line {lines.number} holds a carriage return (CR) that ends no line"
    opened = first + _where_the_last_quote_opened(lines.of_this_record, settings)
    if error.startswith("unexpected end of data"):
        return f"the quote that opens in line {opened} is never closed"
    if error.startswith("field larger"):
        return f"the value that begins in line {opened} is longer than {LONGEST // 1024**2} MB"
    return (
        f"text follows the closing quote of a value that begins in line {opened}: a quote is not closed there,"
        f" or one inside of the value is not doubled"
    )


def _where_the_last_quote_opened(lines: list[str], settings: Csv) -> int:
    """How many lines into a broken row its last quoted value begins."""
    opened, within, fresh = 0, False, True
    text = enumerate(lines)
    for index, line in text:
        at = 0
        while at < len(line):
            character = line[at]
            if within:
                if character == settings.quote and line[at + 1 : at + 2] == settings.quote:
                    at += 1
                elif character == settings.quote:
                    within = False
                    if line[at + 1 : at + 2] not in (settings.separator, "\r", "\n", ""):
                        return opened
            elif fresh and character == settings.quote:
                opened, within = index, True
            fresh = not within and character == settings.separator
            at += 1
    return opened
