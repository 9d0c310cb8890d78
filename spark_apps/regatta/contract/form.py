"""Whether a file is what its source says: CSV or parquet, with the columns of the contract."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from regatta.config.dialect import Csv
from regatta.lake.scan import BYTE_ORDER_MARK, in_python, is_packed

HEAD = 256 * 1024  # bytes in which a header must end
SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


@dataclass(frozen=True)
class Look:
    """What is known of one file before Spark reads it.

    Attributes:
        head: its first bytes, unpacked where its name says that gzip has packed it.
        header: the names in its first row, without blanks around them, as far as they can be read.
        rows: its data rows by Python's csv module, None if it cannot read them.
        fault: why it cannot.
        altered: whether it is gone, or not what was landed.
        required: the names that its header must hold, as the file has them.
        optional: the names that it may hold.
        kinds: of a parquet file: Arrow's names of its columns' types.
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
    kinds: tuple[str, ...] = ()
    is_parquet: bool = False


Check = Callable[[Look], Iterator[str]]


def header_of(head: bytes, settings: Csv, separator: str | None = None) -> tuple[str, ...]:
    """The names of a file's columns, without complaint; empty where there are none to be read."""
    return settings.names or first_row(head, settings, separator)


def first_row(head: bytes, settings: Csv, separator: str | None = None) -> tuple[str, ...]:
    """The first row of a file that is neither blank nor a comment, read without complaint."""
    text = head.removeprefix(BYTE_ORDER_MARK).decode(settings.encoding, errors="replace")
    lines = iter(io.StringIO(text, newline=""))
    if settings.comment:
        comment = settings.comment
        lines = (line for line in lines if not line.startswith(comment))
    try:
        rows = csv.reader(lines, **in_python(settings, separator))
        return tuple(name.strip() for name in next((row for row in rows if row), []))
    except csv.Error:
        return ()


def faults(look: Look) -> list[str]:
    """The first reason why the file is not what is stated, or else everything that is wrong with its header."""
    for check in FORM_OF_PARQUET if look.is_parquet else FORM:
        if wrong := list(check(look)):
            return wrong
    return [fault for check in HEADER for fault in check(look)]


def _altered(look: Look) -> Iterator[str]:
    if look.altered:
        yield look.altered


def _empty(look: Look) -> Iterator[str]:
    if not look.head.removeprefix(BYTE_ORDER_MARK).strip():
        yield "is empty"


MAGIC = {
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
    for magic, name in MAGIC.items():
        if look.head.startswith(magic) or (magic.startswith(b"<") and begins.lower().startswith(magic)):
            if magic == b"PAR1":
                yield "is parquet and not CSV text (its source would say format: parquet)"
            elif name == "gzip" and not is_packed(look.name):
                yield "is gzip and not CSV text (named .csv.gz it would be unpacked)"
            elif not (name == "gzip" and look.fault):  # cut off so early that nothing could be unpacked
                yield f"is {name} and not CSV text"


def _packed_otherwise(look: Look) -> Iterator[str]:
    # Spark unpacks by the ending of a name, and a job ends at a file that is not what its name says.
    ending = look.name.rpartition(".")[2].lower()
    if ending in ("bz2", "zst", "zstd", "lz4", "snappy", "deflate", "xz") or look.name.endswith(".GZ"):
        yield f"has a name that ends in .{ending}, and only .gz (in small letters) is unpacked"


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
    if look.settings.names:
        yield from _other_separator_without_a_header(look, len(look.settings.names))
        return
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


def _other_separator_without_a_header(look: Look, due: int) -> Iterator[str]:
    count = len(first_row(look.head, look.settings))
    for separator, shown in SEPARATORS.items():
        if count != due == len(first_row(look.head, look.settings, separator)):
            yield (
                f"the first row has {count} value{'' if count == 1 else 's'} when separated by"
                f" {_shown(look.settings.separator)}; it looks separated by {shown}"
            )


def _shown(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))


def _unreadable(look: Look) -> Iterator[str]:
    if look.fault:
        yield look.fault


def _no_rows(look: Look) -> Iterator[str]:
    if look.rows == 0:
        yield "has no rows" if look.settings.names else "has a header and no rows"


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


def _capitals(look: Look) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name in dict.fromkeys(look.header) if look.is_parquet else ():
        if (other := seen.setdefault(name.lower(), name)) != name:
            yield f"columns {other} and {name} differ in capitals alone, which Spark does not tell apart"


_PLAIN_KIND = re.compile(
    r"bool|u?int(8|16|32|64)|halffloat|float|double|decimal(32|64|128)\(.*|(large_)?string|string_view|date32\[day\]"
    r"|timestamp\[.*|null"
)


def _kinds(look: Look) -> Iterator[str]:
    for name, kind in zip(look.header, look.kinds, strict=False):
        if name not in look.settings.ignore and not _PLAIN_KIND.fullmatch(kind):
            yield f"column {name} holds {kind}, and only plain values can be read"


# The order matters: each check may rely on those before it. The first that finds something ends the list.
FORM: tuple[Check, ...] = (
    _altered,
    _empty,
    _packed_otherwise,
    _other_format,
    _wide_text,
    _foreign_mark,
    _header_too_long,
    _other_separator,
    _unreadable,
    _no_rows,
)
FORM_OF_PARQUET: tuple[Check, ...] = (_altered, _unreadable, _no_rows)
HEADER: tuple[Check, ...] = (_line_break_in_a_name, _doubled, _capitals, _missing, _unknown, _kinds)
