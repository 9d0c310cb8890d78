"""The first rows of a file of which nothing is known, and how it seems to be written."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import get_args

import clevercsv
import pyarrow as pa
import pyarrow.parquet as pq
from charset_normalizer import from_bytes

from regatta.config.dialect import Csv, Encoding
from regatta.contract.form import MAGIC, SEPARATORS
from regatta.errors import InputError
from regatta.lake.parquet import plain_type
from regatta.lake.scan import BYTE_ORDER_MARK, NOT_GZIP, in_python, is_packed

MOST_ROWS = 20_000
_HEAD = 2 * 1024**2  # bytes of which the encoding is guessed
_SNIFFED = 64 * 1024  # characters of which separator and quote are guessed
MISSING = (
    "NA",
    "N/A",
    "n/a",
    "na",
    "#N/A",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
    "none",
    "-",
    "--",
    "?",
    ".",
)
"""Texts that mean "no value" in the tables of others, where a number would be due."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a table.

    Attributes:
        format: csv or parquet.
        csv: the dialect, with what was found out.
        header: the names of the columns as the file has them, or made up where it has none.
        has_header: whether the file has one.
        rows: at most `MOST_ROWS`, each as wide as the header; blanks around values are taken off.
        is_whole: whether these are all rows.
    """

    format: str
    csv: Csv
    header: tuple[str, ...]
    has_header: bool
    rows: Sequence[Sequence[str]]
    is_whole: bool

    def column(self, index: int) -> list[str]:
        """The texts of one column that are values."""
        missing = {"", *self.csv.missing}
        return [row[index] for row in self.rows if row[index] not in missing]


def sample(path: Path) -> Sample:
    """Read the beginning of a file.

    Raises:
        InputError: it is not there, or no table.
    """
    if not path.is_file():
        raise InputError("no such file", place=str(path))
    with path.open("rb") as file:
        begins = file.read(20)
    if begins.startswith(b"PAR1"):
        return _of_parquet(path)
    head = _head(path)
    if not head.strip():
        raise InputError("is empty", place=str(path))
    for magic, name in MAGIC.items():
        if head.startswith(magic) or head.lstrip()[:20].lower().startswith(magic):
            raise InputError(
                f"is {name} and not a table", place=str(path), way_out="export it as CSV or parquet"
            )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[:400].count(0) * 4 > len(head[:400]):
        raise InputError(
            "is UTF-16, which Spark cannot read line by line",
            place=str(path),
            way_out=f"iconv -f UTF-16 -t UTF-8 {path.name} > utf-8.csv",
        )
    encoding = _encoding(head)
    text = head.removeprefix(BYTE_ORDER_MARK).decode(encoding, errors="replace")
    return _of_csv(path, Csv.model_validate({"encoding": encoding}), text)


def _head(path: Path) -> bytes:
    try:
        with gzip.open(path) if is_packed(path.name) else path.open("rb") as file:
            return file.read(_HEAD)
    except NOT_GZIP:
        raise InputError("is not gzip, although its name ends in .gz", place=str(path)) from None


def _encoding(head: bytes) -> str:
    try:
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8")  # not in the middle of a character
        return "utf-8"
    except UnicodeDecodeError:
        best = from_bytes(
            head[:_SNIFFED], cp_isolation=[name for name in get_args(Encoding) if name != "utf-8"]
        ).best()
        found = Csv.model_validate({"encoding": best.encoding}).encoding if best else "windows-1252"
        # The two differ in punctuation alone, and only the second is what Windows writes.
        return "windows-1252" if found == "latin-1" else found


def _of_csv(path: Path, settings: Csv, text: str) -> Sample:
    lines = text.splitlines()
    comment = (
        "#"
        if lines and lines[0].startswith("#") and any(not line.startswith("#") for line in lines)
        else None
    )
    body = "\n".join(line for line in lines if not (comment and line.startswith(comment)))
    settings = settings.model_copy(update={"comment": comment, **_sniffed(body)})
    try:
        found = [*islice(_rows(path, settings), MOST_ROWS + 2)]
    except csv.Error as error:
        raise InputError(f"cannot be read as CSV: {error}", place=str(path)) from None
    width = Counter(len(row) for row in found[:1000]).most_common(1)[0][0]
    has_header = _has_header(found[:200])
    names = (
        tuple(name.strip() for name in found[0])
        if has_header
        else tuple(f"column_{n}" for n in range(1, width + 1))
    )
    data = [tuple(map(str.strip, row)) for row in found[has_header:] if len(row) == len(names)]
    if not data:
        raise InputError(
            "has no row with as many values as its header", place=str(path), way_out="is it a table in CSV?"
        )
    settings = settings.model_copy(update=_numbers(data, settings) | ({} if has_header else {"names": names}))
    settings = settings.model_copy(update={"missing": ("", *_missing(data, settings))})
    return Sample("csv", settings, names, has_header, data[:MOST_ROWS], len(found) <= MOST_ROWS + has_header)


def _rows(path: Path, settings: Csv) -> Iterator[list[str]]:
    with (
        gzip.open(path) if is_packed(path.name) else path.open("rb") as file,
        io.TextIOWrapper(file, settings.encoding, errors="replace", newline="") as lines,
    ):
        kept = (
            line.removeprefix("\ufeff") if at == 0 else line
            for at, line in enumerate(lines)
            if not (settings.comment and line.startswith(settings.comment))
        )
        yield from (row for row in csv.reader(kept, **in_python(settings)) if row)


def _sniffed(text: str) -> dict[str, str]:
    """Separator and quote: clevercsv's, if they cut the lines into more than one value, else the likeliest."""
    head = text[:_SNIFFED]
    head = head[: head.rfind("\n") + 1] or head
    try:
        found = clevercsv.Sniffer().sniff(head, verbose=False)
    except clevercsv.exceptions.NoDetectionResult:
        found = None
    if found is not None and found.delimiter in {*SEPARATORS, ":"}:
        quote = {"quote": found.quotechar} if found.quotechar == "'" else {}
        return {"separator": found.delimiter, **quote}
    first = head.splitlines()[0]
    best = max(SEPARATORS, key=first.count)
    return {"separator": best} if first.count(best) else {}


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: it holds no number, or the rows below hold other kinds of values."""
    first, *others = rows
    looks = [_looks(text) for text in first]
    if len(others) < 2 or "number" not in looks:
        return True
    columns = zip(looks, zip(*(row for row in others if len(row) == len(first)), strict=True), strict=False)
    alike = [all(_looks(text) == look for text in texts[:50] if text.strip()) for look, texts in columns]
    return not all(alike) and looks.count("number") * 2 < len(looks)


def _looks(text: str) -> str:
    return "number" if re.fullmatch(r"\s*[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?\s*", text) else "text"


_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,' \u00a0])[0-9]{3})+(?:[.,][0-9]+)?")
_FRACTION = re.compile(r"[+-]?[0-9]*([.,])([0-9]+)")


def _numbers(rows: Sequence[Sequence[str]], settings: Csv) -> dict[str, str]:
    """The character before fractions, and the one between groups of three digits."""
    points, commas, groups = 0, 0, Counter[str]()
    for text in (text for row in rows[:2000] for text in row if text[:1].isdigit() or text[:1] in "+-.,"):
        if fraction := _FRACTION.fullmatch(text):
            sure = len(fraction[2]) != 3 or text[:1] in "0.,"
            points += sure and fraction[1] == "."
            commas += sure and fraction[1] == ","
        if grouped := _GROUPED.fullmatch(text):
            groups[grouped[1]] += 1
            ending = text[-4:-3]
            points += "." in text and grouped[1] != "." and ending != grouped[1]
            commas += "," in text and grouped[1] != "," and ending != grouped[1]
    decimal = "," if (commas > points and settings.separator != ",") or commas > 10 * (points + 1) else "."
    found = {"decimal": decimal} if decimal != "." else {}
    if groups:
        common, count = groups.most_common(1)[0]
        twice = sum(text.count(common) > 1 for row in rows[:2000] for text in row if _GROUPED.fullmatch(text))
        if common != decimal and (common not in ".," or decimal == "," or twice or (common == "," and count)):
            found["thousands"] = common
    return found


def _missing(rows: Sequence[Sequence[str]], settings: Csv) -> list[str]:
    """The texts that stand where a number would be due, of those that usually do."""
    number = re.compile(settings.number(whole=False))
    found: dict[str, None] = {}
    for texts in zip(*rows, strict=True):
        distinct = Counter(texts)
        tokens = [token for token in MISSING if token in distinct]
        values = [text for text in distinct if text and text not in tokens]
        if tokens and values and sum(bool(number.fullmatch(text)) for text in values) >= 0.9 * len(values):
            found |= dict.fromkeys(tokens)
    return [*found]


def _of_parquet(path: Path) -> Sample:
    try:
        file = pq.ParquetFile(path)
        batch = next(file.iter_batches(MOST_ROWS), None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"is not parquet that can be read ({error})", place=str(path)) from None
    if batch is None:
        raise InputError("has no rows", place=str(path))
    columns = [_texts(batch.column(index)) for index in range(batch.num_columns)]
    names = tuple(file.schema_arrow.names)
    whole = file.metadata.num_rows <= MOST_ROWS
    return Sample("parquet", Csv(), names, True, [*zip(*columns, strict=True)], whole)


def _texts(values: pa.Array) -> list[str]:
    kind = plain_type(values.type)
    found = values.to_pylist()
    if pa.types.is_boolean(kind):
        return ["" if value is None else str(value).lower() for value in found]
    if pa.types.is_floating(kind):
        return [
            "" if value is None else f"{value:.0f}" if value == value // 1 else str(value) for value in found
        ]
    if pa.types.is_timestamp(kind):
        return [
            "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00") for value in found
        ]
    return ["" if value is None else str(value).strip() for value in found]
