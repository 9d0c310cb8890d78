"""A look at the files of a delivery before Spark reads them: what would be silently wrong is refused here.

Given a schema, Spark reads swapped columns, another separator, a gzip file or UTF-16 without a word. So each file
is held against the contract by its first bytes; its rows were counted when it landed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from regatta.config import UseCase
from regatta.config.table import Csv
from regatta.lake import Delivery, Lake, layout
from regatta.lake.records import DeliveredFile
from regatta.lake.scan import BYTE_ORDER_MARK, dialect, scan
from regatta.lake.store import COPIES_AT_ONCE, Stored

HEAD = 256 * 1024  # bytes in which a header must end
SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


@dataclass(frozen=True)
class Sound:
    """A delivery that Spark can read: the header of each of its files, and their data rows together."""

    delivery: Delivery
    headers: dict[str, tuple[str, ...]]
    rows: int


@dataclass(frozen=True)
class Broken:
    """A delivery of which nothing can be taken: every file's faults, and the rows that could be counted."""

    delivery: Delivery
    reason: str
    rows: int


def inspect(lake: Lake, delivery: Delivery) -> Sound | Broken:
    """Say whether Spark can read a delivery; reads the first bytes of its files.

    Where the source's settings have changed since it landed, or its rows could not be counted then, the files are
    read as a whole.
    """
    folder = layout.raw(delivery.source, delivery.delivery)
    standing = {stored.key.removeprefix(folder): stored for stored in lake.store.files(folder)}
    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        looks = list(
            pool.map(lambda file: _look(lake, delivery, file, standing.get(file.name)), delivery.files)
        )
    rows = sum(look.rows or 0 for look in looks)
    found = {look.name: wrong for look in looks if (wrong := faults(look))}
    if found:
        reason = "; ".join(f"{name}: {', '.join(wrong)}" for name, wrong in found.items())
        return Broken(delivery, reason, rows)
    return Sound(delivery, {look.name: look.header for look in looks}, rows)


@dataclass(frozen=True)
class Look:
    """What is known of one file before Spark reads it.

    Attributes:
        head: its first bytes.
        header: the names in its first row, without blanks around them, as far as they can be read.
        rows: its data rows by Python's csv module, None if it cannot read them.
        fault: why it cannot.
        altered: whether it is gone, or not what was landed.
        required: the names that its header must hold, as the file has them.
        optional: the names that it may hold.
    """

    name: str
    head: bytes
    header: tuple[str, ...]
    rows: int | None
    fault: str
    altered: str
    settings: Csv
    required: tuple[str, ...]
    optional: frozenset[str]


Check = Callable[[Look], Iterator[str]]


def look_at(
    use_case: UseCase,
    source: str,
    name: str,
    head: bytes,
    rows: int | None,
    fault: str = "",
    altered: str = "",
) -> Look:
    """What `faults` needs to know of a file of the source."""
    settings = use_case.sources[source].csv
    required, optional = names_in_files(use_case, source)
    return Look(name, head, header_of(head, settings), rows, fault, altered, settings, required, optional)


def _look(lake: Lake, delivery: Delivery, file: DeliveredFile, standing: Stored | None) -> Look:
    key = layout.raw(delivery.source, delivery.delivery) + file.name
    settings = lake.use_case.sources[delivery.source].csv
    if standing is None:
        return look_at(lake.use_case, delivery.source, file.name, b"", None, altered="is gone")
    altered = "" if standing.etag == file.etag else "is not what was landed"
    rows, fault = file.rows, ""
    if not altered and (rows is None or delivery.dialect != dialect(settings)):
        with closing(lake.store.stream(key)) as content:
            found = scan(content, settings)
        rows, fault = found.rows, found.fault
    head = lake.store.first_bytes(key, HEAD)
    return look_at(lake.use_case, delivery.source, file.name, head, rows, fault, altered)


def names_in_files(use_case: UseCase, source: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names that a header of the source must hold, and those that it may."""
    settings = use_case.sources[source]
    in_files = {name: header for header, name in settings.csv.header.items()}
    withheld = use_case.withheld if settings.role == "score" else frozenset()
    required = tuple(in_files.get(name, name) for name in use_case.columns if name not in withheld)
    return required, frozenset(settings.csv.ignore) | {in_files.get(name, name) for name in withheld}


def header_of(head: bytes, settings: Csv, separator: str | None = None) -> tuple[str, ...]:
    """The first row of a file that is not blank, read without complaint; empty where there is none."""
    text = head.removeprefix(BYTE_ORDER_MARK).decode(settings.encoding, errors="replace")
    lines = io.StringIO(text, newline="")
    try:
        rows = csv.reader(lines, delimiter=separator or settings.separator, quotechar=settings.quote)
        return tuple(name.strip() for name in next((row for row in rows if row), []))
    except csv.Error:
        return ()


def faults(look: Look) -> list[str]:
    """The first reason why the file is not CSV as stated, or else everything that is wrong with its header."""
    for check in FORM:
        if wrong := list(check(look)):
            return wrong
    return [fault for check in HEADER for fault in check(look)]


def _altered(look: Look) -> Iterator[str]:
    if look.altered:
        yield look.altered


def _empty(look: Look) -> Iterator[str]:
    if not look.head.removeprefix(BYTE_ORDER_MARK).strip():
        yield "is empty"


_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF-": "PDF",
    b"PAR1": "parquet",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"<!doctype html": "HTML",
    b"<html": "HTML",
    b"<?xml": "XML",
}


def _other_format(look: Look) -> Iterator[str]:
    begins = look.head.removeprefix(BYTE_ORDER_MARK).lstrip()[:20]
    for magic, name in _MAGIC.items():
        if look.head.startswith(magic) or (magic.startswith(b"<") and begins.lower().startswith(magic)):
            yield f"is {name} and not CSV text"


def _wide_text(look: Look) -> Iterator[str]:
    first = look.head[:400]
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or first.count(0) * 4 > len(first):
        yield f"is UTF-16 and not {look.settings.encoding}"


def _foreign_mark(look: Look) -> Iterator[str]:
    if look.settings.encoding != "utf-8" and look.head.startswith(BYTE_ORDER_MARK):
        yield f"begins with the mark of UTF-8 and is not {look.settings.encoding}"


def _header_too_long(look: Look) -> Iterator[str]:
    if len(look.head) == HEAD and b"\n" not in look.head and b"\r" not in look.head:
        yield f"has no line end in its first {HEAD // 1024} kB"


def _other_separator(look: Look) -> Iterator[str]:
    known = set(look.required) | look.optional
    fitting = {
        separator: len(known & set(header_of(look.head, look.settings, separator)))
        for separator in (look.settings.separator, *SEPARATORS)
    }
    best = max(fitting, key=lambda separator: fitting[separator])
    if fitting[best] > max(fitting[look.settings.separator], 1):
        count = len(look.header)
        yield (
            f"the header has {count} column{'' if count == 1 else 's'} when separated by"
            f" {_shown(look.settings.separator)}; it looks separated by {_shown(best)}"
        )


def _shown(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))


def _unreadable(look: Look) -> Iterator[str]:
    if look.fault:
        yield look.fault


def _no_rows(look: Look) -> Iterator[str]:
    if look.rows == 0:
        yield "has a header and no rows"


def _line_break_in_a_name(look: Look) -> Iterator[str]:
    # Spark's reader takes the first line end that it meets for the one that ends rows.
    yield from (
        f"column {name!r} has a line break in its name" for name in look.header if {*name} & {*"\r\n"}
    )


def _doubled(look: Look) -> Iterator[str]:
    for name in dict.fromkeys(look.header):
        if (times := look.header.count(name)) > 1:
            yield f"column {name} is there {times} times"


def _missing(look: Look) -> Iterator[str]:
    yield from (f"column {name} is missing" for name in look.required if name not in look.header)


def _unknown(look: Look) -> Iterator[str]:
    known = {*look.required, *look.optional}
    for name in dict.fromkeys(look.header):
        if name not in known:
            yield f"column {name or '(without a name)'} is not in the contract (name it under csv.ignore)"


# The order matters: each check may rely on those before it. The first that finds something ends the list.
FORM: tuple[Check, ...] = (
    _altered,
    _empty,
    _other_format,
    _wide_text,
    _foreign_mark,
    _header_too_long,
    _other_separator,
    _unreadable,
    _no_rows,
)
HEADER: tuple[Check, ...] = (_line_break_in_a_name, _doubled, _missing, _unknown)
