"""Good files, spoilt at random by bytes, lines and columns; and what Python alone makes of each.

Hypothesis draws the mutants from a seed, so that the same are made in every run.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

CONTRACT = """
use_case: {name}
sources: {{{name}_sales: {{role: train}}}}
columns:
  id:    {{type: string, role: key}}
  sold:  {{type: date}}
  price: {{type: number, role: label, above: 0}}
  rooms: {{type: integer, role: feature, max: 50}}
  notes: {{type: string, max_length: 40}}
max_rejected: 1.0
candidates: {{linear_regression: {{regParam: 0.1}}}}
"""
COLUMNS = ("id", "sold", "price", "rooms", "notes")
Row = dict[str, object]

GOOD = [
    "id,sold,price,rooms,notes",
    "a1,2015-02-27,200,3,quiet",
    'b2,2015-02-28,300.25,4,"near, the lake"',
    "c3,2015-03-01,1e3,,",
    'd4,,.5,50.0,"say ""hi"""',
    "e5,2015-03-03,+7.,0,São João",
    'f6,2016-02-29,12345678.125,7,"two\nlines"',
]
BYTES = [b"", b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xe9", b" ", b"-", b"0", b"e", b";", b"#", b"\\", b"\xc2\xa0", b"'"]  # fmt: skip
VALUES = ["", "NaN", "1e400", "-1", "0", "1,5", "2015-02-30", "0215-01-01", "28/02/2015", "3.5", "51", "x" * 41, "=1+1",
          " 7 ", "a1", "null", "-0.0", "1_000", "٣", "1e-5", "9223372036854775808", "2015-02-28 ", "0x10", "1d"]  # fmt: skip


@st.composite
def mutant(draw: st.DrawFn) -> bytes:
    """A good file after one to three changes."""
    content = "\n".join([*GOOD, ""]).encode()
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        content = change(draw, content)
    return content


def _bytes(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, max(len(content) - 1, 0)))
    cut = draw(st.integers(0, 3))
    return content[:at] + draw(st.sampled_from(BYTES)) + content[at + cut :]


def _lines(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match draw(st.sampled_from(["drop", "double", "swap", "cut", "blank"])):
        case "drop":
            del lines[one]
        case "double":
            lines.insert(other, lines[one])
        case "swap":
            lines[one], lines[other] = lines[other], lines[one]
        case "cut":
            lines[one] = lines[one][: len(lines[one]) // 2]
        case "blank":
            lines.insert(one, b"")
    return b"\n".join(lines)


def _values(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(min(1, len(lines) - 1), len(lines) - 1))  # the header has changes enough of its own
    cells = lines[at].split(b",")
    cell = draw(st.integers(0, len(cells) - 1))
    value = draw(st.sampled_from(VALUES))
    cells[cell] = f'"{value}"'.encode() if draw(st.booleans()) else value.encode()
    lines[at] = b",".join(cells)
    return b"\n".join(lines)


def _columns(draw: st.DrawFn, content: bytes) -> bytes:
    try:
        rows = [*csv.reader(io.StringIO(content.decode(), newline=""), strict=True)]
    except (csv.Error, UnicodeDecodeError):
        return content
    one, other = (draw(st.integers(0, len(COLUMNS) - 1)) for _ in range(2))
    how = draw(st.sampled_from(["swap", "drop", "double"]))
    for row in rows:
        if max(one, other) < len(row):
            if how == "swap":
                row[one], row[other] = row[other], row[one]
            elif how == "drop":
                del row[one]
            else:
                row.append(row[one])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


Change = Callable[[st.DrawFn, bytes], bytes]
CHANGES: list[Change] = [_bytes, _bytes, _lines, _values, _values, _columns]


def mutants(count: int, seed: int) -> list[bytes]:
    """So many different ones."""
    found: dict[bytes, None] = {}

    @seeded(seed)
    @settings(
        max_examples=2 * count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(mutant())
    def collect(one: bytes) -> None:
        found[one] = None

    collect()
    return [*found][:count]


@dataclass(frozen=True)
class Judged:
    """What Python alone makes of a file: its rows, and those that the contract accepts, by their number."""

    rows: int
    accepted: dict[int, Row]


def judged(content: bytes) -> Judged | None:
    """Read a file by Python's csv, Decimal and date; None if it is no CSV or lacks a column."""
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (csv.Error, UnicodeDecodeError):
        return None
    if not rows or sorted(name.strip() for name in rows[0]) != sorted(COLUMNS):
        return None
    header, keys = [name.strip() for name in rows[0]], set[object]()
    accepted: dict[int, Row] = {}
    for number, row in enumerate(rows[1:], start=1):
        found = _typed(dict(zip(header, row, strict=False))) if len(row) == len(header) else None
        if found is not None and found["id"] not in keys:
            keys.add(found["id"])
            accepted[number] = found
    return Judged(len(rows) - 1, accepted)


def _typed(texts: dict[str, str]) -> Row | None:
    """The values of a row, or None if one of them breaks the contract."""
    clean = {name: text.strip(" \t\u00a0") for name, text in texts.items()}
    if not clean["id"]:
        return None
    row: Row = {"id": texts["id"], "sold": None, "price": None, "rooms": None}
    row["notes"] = texts["notes"].replace("\r\n", "\n") if clean["notes"] else None
    if clean["sold"]:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", clean["sold"]):
            return None
        try:
            row["sold"] = date.fromisoformat(clean["sold"])
        except ValueError:
            return None
        if row["sold"].year < 1583:  # type: ignore[attr-defined]
            return None
    if clean["price"]:
        if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", clean["price"]):
            return None
        row["price"] = float(Decimal(clean["price"]))
        if not 0 < row["price"] < float("inf"):
            return None
    if clean["rooms"]:
        if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", clean["rooms"]):
            return None
        row["rooms"] = int(Decimal(clean["rooms"]))
        if not -(2**63) <= row["rooms"] <= 50:
            return None
    return None if len(str(row["notes"] or "")) > 40 else row
