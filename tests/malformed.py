"""Files that people deliver, good and bad, and what is to become of each: one table that one test goes through.

Every case is a delivery of one use case (`CONTRACT`). Unless it says otherwise it holds the good rows and one more.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

CONTRACT = """
use_case: {name}
sources:
  {name}_sales: {{role: train, csv: {{comment: "#", ignore: [remark]}}}}
columns:
  id:    {{type: string, role: key}}
  sold:  {{type: date}}
  price: {{type: number, unit: USD, role: label, above: 0}}
  rooms: {{type: integer, role: feature, max: 50}}
  town:  {{type: string, role: category, max_length: 100}}
  notes: {{type: string}}
candidates: {{linear_regression: {{regParam: 0.1}}}}
"""

HEADER = "id,sold,price,rooms,town,notes\n"
GOOD = "1,2015-02-27,200,3,Alki,quiet\n2,2015-02-28,300.5,4,Alki,\n3,2015-03-01,1e3,,Leschi,\n"


@dataclass(frozen=True)
class Rows:
    """The delivery goes through: so many rows are accepted, and for each reason so many are rejected."""

    accepted: int
    reasons: dict[str, int] = field(default_factory=dict)
    rejected: int | None = None
    """If a row has more than one reason; else the sum of the reasons."""


@dataclass(frozen=True)
class Refused:
    """Nothing of the delivery is taken, and this is why."""

    why: str


Fate = Rows | Refused
Content = bytes | dict[str, bytes]


def with_row(row: str) -> bytes:
    return (HEADER + GOOD + row + "\n").encode()


def one_rejected(reason: str) -> Rows:
    return Rows(3, {reason: 1})


def replaced(old: str, new: str) -> bytes:
    assert old in HEADER + GOOD
    return (HEADER + GOOD).replace(old, new).encode()


def parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table({"id": ["1"], "price": [200.0]}), content)
    return content.getvalue()


def second_column_of_ten_megabytes() -> bytes:
    return with_row(f"4,2015-03-01,400,3,{'x' * 10 * 1024**2},")


PLAIN = (HEADER + GOOD).encode()
NUMBER, WHOLE, DATE = (
    "price: is not a number",
    "rooms: is not a whole number",
    "sold: is not a date like 2015-01-31",
)
UNPAIRED = (
    "text follows the closing quote of a value that begins in line {}: a quote is not closed there,"
    " or one inside of the value is not doubled"
)

CASES: dict[str, tuple[Content, Fate]] = {
    # ---- another dialect ----
    "plain": (PLAIN, Rows(3)),
    "wrong separator": (
        PLAIN.replace(b",", b";"),
        Refused("a.csv: the header has 1 column when separated by ','; it looks separated by ';'"),
    ),
    "tabs": (
        PLAIN.replace(b",", b"\t"),
        Refused("a.csv: the header has 1 column when separated by ','; it looks separated by a tab"),
    ),
    "CRLF": (PLAIN.replace(b"\n", b"\r\n"), Rows(3)),
    "CR alone": (
        PLAIN.replace(b"\n", b"\r"),
        Refused("a.csv: line 1 holds a carriage return (CR) that ends no line"),
    ),
    "both line ends": (
        PLAIN.replace(b"\n3,", b"\r\n3,"),
        Refused("a.csv: line 3 ends in CRLF, the lines before it in LF"),
    ),
    "no line end at the end": (PLAIN.rstrip(b"\n"), Rows(3)),
    "UTF-16": ((HEADER + GOOD).encode("utf-16"), Refused("a.csv: is UTF-16 and not utf-8")),
    "UTF-16 without a mark": ((HEADER + GOOD).encode("utf-16-le"), Refused("a.csv: is UTF-16 and not utf-8")),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + PLAIN, Rows(3)),
    "Latin-1 bytes in UTF-8": (
        with_row("4,2015-03-01,400,3,caf\u00e9,").replace(b"\xc3\xa9", b"\xe9"),
        Refused("a.csv: is not utf-8: byte 0xe9 in line 5 (byte 137 of the file)"),
    ),
    "letters of the whole world": (with_row("4,2015-03-01,400,3,東京 Ωmega São,😀"), Rows(4)),
    "gzip named .csv": (
        gzip.compress(PLAIN, mtime=0),
        Refused("a.csv: is gzip and not CSV text (named .csv.gz it would be unpacked)"),
    ),
    "real gzip": ({"a.csv.gz": gzip.compress(with_row("4,2015-03-01,many,3,Alki,"), mtime=0)}, one_rejected(NUMBER)),
    "gzip in two members": ({"a.csv.gz": gzip.compress(PLAIN) + gzip.compress(b"4,,400,3,Alki,\n")}, Rows(4)),
    "gzip that is cut off": ({"a.csv.gz": gzip.compress(PLAIN, mtime=0)[:-9]}, Refused("a.csv.gz: is gzip that is cut off")),
    "CSV named .gz": ({"a.csv.gz": PLAIN}, Refused("a.csv.gz: is not gzip, although its name ends in .gz")),
    "CSV named .bz2": (
        {"a.csv.bz2": PLAIN},
        Refused("a.csv.bz2: has a name that ends in .bz2, and only .gz (in small letters) is unpacked"),
    ),
    "comment lines": (b"# exported today\n" + replaced("2,2015", "#2,2015"), Rows(2)),
    "blank lines": (PLAIN.replace(b"\n", b"\n\n"), Rows(3)),
    # ---- no table at all ----
    "empty": (b"", Refused("a.csv: is empty")),
    "only blank lines": (b"\n\n \n", Refused("a.csv: is empty")),
    "a header alone": (HEADER.encode(), Refused("a.csv: has a header and no rows")),
    "HTML": (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", Refused("a.csv: is HTML and not CSV text")),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", Refused("a.csv: is PDF and not CSV text")),
    "zip": (b"PK\x03\x04" + bytes(60), Refused("a.csv: is a zip archive or an Excel workbook and not CSV text")),
    "parquet": (parquet(), Refused("a.csv: is parquet and not CSV text (its source would say format: parquet)")),
    "NUL byte": (with_row("4,2015-03-01,400,3,Al\0ki,"), Refused("a.csv: line 5 holds a NUL byte")),
    # ---- columns ----
    "another order of columns": (b"price,id,notes,town,rooms,sold\n400,4,,Alki,3,2015-03-01\n", Rows(1)),
    "a missing column": (replaced("price", "cost"), Refused(
        "a.csv: column price is missing, column cost is not in the contract (name it under csv.ignore)"
    )),
    "a doubled column": (b"id,sold,price,rooms,town,notes,town\n1,,2,3,a,b,c\n", Refused("a.csv: column town is there 2 times")),
    "an extra column": (
        b"id,sold,price,rooms,town,notes,color\n1,,2,3,a,b,c\n",
        Refused("a.csv: column color is not in the contract (name it under csv.ignore)"),
    ),
    "an ignored column": (b"id,sold,price,remark,rooms,town,notes\n1,,2,x,3,a,b\n", Rows(1)),
    "blanks around names": (b" id ,sold, price,rooms,town ,notes\n1,,2,3,a,b\n", Rows(1)),
    "two files with the columns in another order": (
        {"a.csv": PLAIN, "b.csv": b"price,id,notes,town,rooms,sold\n400,4,,Alki,3,2015-03-01\n"}, Rows(4)
    ),
    "two files of which one lacks a column": (
        {"a.csv": PLAIN, "b.csv": b"id,sold,price,rooms,town\n4,,400,3,Alki\n"}, Refused("b.csv: column notes is missing")
    ),
    # ---- quotes ----
    "a quoted line break": (with_row('4,2015-03-01,400,3,Alki,"two\nlines"'), Rows(4)),
    "doubled quotes": (with_row('4,2015-03-01,400,3,Alki,"say ""hi"", twice"'), Rows(4)),
    "a quote within a plain value": (with_row('4,2015-03-01,400,3,Alki,5" pipe'), Rows(4)),
    "an unclosed quote at the start": (replaced("1,2015", '"1,2015'), Refused("a.csv: the quote that opens in line 2 is never closed")),
    "an unclosed quote in the middle": (
        with_row('4,,400,3,"Alki","ok"').replace(b"2,2015", b'"2,2015'), Refused(f"a.csv: {UNPAIRED.format(3)}")
    ),
    "an unclosed quote in the last row": (
        with_row('4,2015-03-01,400,3,"Alki,'), Refused("a.csv: the quote that opens in line 5 is never closed")
    ),
    "a quote that is not doubled": (with_row('4,,400,3,Alki,"5" pipe"'), Refused(f"a.csv: {UNPAIRED.format(5)}")),
    # ---- rows ----
    "a short row": (with_row("4,2015-03-01,400"), one_rejected("has 3 values where 6 are due")),
    "a long row": (with_row("4,2015-03-01,400,3,Alki,,"), one_rejected("has 7 values where 6 are due")),
    "a row of blanks": (with_row("  "), one_rejected("has 1 value where 6 are due")),
    "a repeated header": (with_row(HEADER.strip()), one_rejected("repeats the header")),
    "a key twice in one file": (with_row("1,2015-03-01,999,3,Alki,"), one_rejected("id: is a second row with this key")),
    "an exact duplicate": (with_row(GOOD.splitlines()[0]), one_rejected("id: is a second row with this key")),
    "a key twice in two files": (
        {"a.csv": PLAIN, "b.csv": (HEADER + "3,,1,1,Alki,\n4,,1,1,Alki,\n").encode()},
        Rows(4, {"id: is a second row with this key": 1}),
    ),
    "a key of another delivery": (b"id,sold,price,rooms,town,notes\n1,,2,3,a,b\n", Rows(1)),
    "a missing key": (with_row(",2015-03-01,400,3,Alki,"), one_rejected("id: is required")),
    # ---- values ----
    "text in a number": (with_row("4,2015-03-01,many,3,Alki,"), one_rejected(NUMBER)),
    "a number with a unit": (with_row("4,2015-03-01,400 USD,3,Alki,"), one_rejected(NUMBER)),
    "1e400": (with_row("4,2015-03-01,1e400,3,Alki,"), one_rejected("price: is too large for a number")),
    "NaN": (with_row("4,2015-03-01,NaN,3,Alki,"), one_rejected(NUMBER)),
    "Infinity": (with_row("4,2015-03-01,Infinity,3,Alki,"), one_rejected(NUMBER)),
    "hexadecimal": (with_row("4,2015-03-01,0x1F,3,Alki,"), one_rejected(NUMBER)),
    "a type suffix of Java": (with_row("4,2015-03-01,400d,3,Alki,"), one_rejected(NUMBER)),
    "decimal comma": (with_row('4,2015-03-01,"400,5",3,Alki,'), one_rejected(NUMBER)),
    "thousands separator": (with_row('4,2015-03-01,"1,400",3,Alki,'), one_rejected(NUMBER)),
    "a line break behind a number": (with_row('4,2015-03-01,"400\n",3,Alki,'), one_rejected(NUMBER)),
    "negative price": (with_row("4,2015-03-01,-400,3,Alki,"), one_rejected("price: must be above 0")),
    "zero price": (with_row("4,2015-03-01,0,3,Alki,"), one_rejected("price: must be above 0")),
    "a fraction in a whole number": (with_row("4,2015-03-01,400,3.5,Alki,"), one_rejected(WHOLE)),
    "a fraction of zeros in a whole number": (with_row("4,2015-03-01,400,3.0,Alki,"), Rows(4)),
    "a whole number too large for 64 bits": (with_row("4,,400,9223372036854775808,Alki,"), one_rejected(WHOLE)),
    "too many rooms": (with_row("4,2015-03-01,400,51,Alki,"), one_rejected("rooms: must be at most 50")),
    "impossible date": (with_row("4,2015-02-30,400,3,Alki,"), one_rejected(DATE)),
    "another date format": (with_row("4,28/02/2015,400,3,Alki,"), one_rejected(DATE)),
    "a date without zeros": (with_row("4,2015-2-8,400,3,Alki,"), one_rejected(DATE)),
    "a year 0215": (
        with_row("4,0215-02-28,400,3,Alki,"), one_rejected("sold: is before the year 1583 (set min to accept it)")
    ),
    "a formula in text": (with_row("4,2015-03-01,400,3,Alki,=1+1"), Rows(4)),
    "a formula in a number": (with_row("4,2015-03-01,=1+1,3,Alki,"), one_rejected(NUMBER)),
    "blanks around values": (with_row(" 4 , 2015-03-01,\t400 ,3\u00a0, Alki ,"), Rows(4)),
    "a category of 5,000 characters": (
        with_row(f"4,2015-03-01,400,3,{'x' * 5000},"), one_rejected("town: must have at most 100 characters")
    ),
    "a field of 10 MB": (second_column_of_ten_megabytes(), one_rejected("town: must have at most 100 characters")),
    "several reasons at once": (
        with_row("4,2015-02-30,-1,many,Alki,"), Rows(3, {DATE: 1, WHOLE: 1, "price: must be above 0": 1}, rejected=1)
    ),
    "a column all null": (b"id,sold,price,rooms,town,notes\n1,,2,,a,\n2,,2,,a,\n", Rows(2)),
    "the label missing in half of the rows": (b"id,sold,price,rooms,town,notes\n1,,2,1,a,\n2,,,1,a,\n", Rows(2)),
    "all labels equal": (b"id,sold,price,rooms,town,notes\n1,,2,1,a,\n2,,2,1,a,\n", Rows(2)),
    # ---- a changed export ----
    "more dirt than max_rejected allows": (
        (HEADER + "1,,x,1,a,\n2,,y,1,a,\n3,2015-02-30,z,1,a,\n4,,1,one,a,\n").encode(),
        Refused(
            "4 of 4 rows are rejected, more than max_rejected (50%) allows: "
            "price: is not a number (3), rooms: is not a whole number (1), sold: is not a date like 2015-01-31 (1)"
        ),
    ),
}  # fmt: skip
