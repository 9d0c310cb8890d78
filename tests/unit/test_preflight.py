from __future__ import annotations

import gzip
import io
from hashlib import sha256

import pytest

from regatta.config import UseCase, parse
from regatta.contract.form import HEAD, faults
from regatta.contract.preflight import look_at
from regatta.lake import scan as scanning
from regatta.lake.scan import Scan, scan

HOUSES = """
use_case: houses
sources:
  sales:
    role: train
    csv: {separator: ",", encoding: ENCODING, ignore: [remark], header: {PRICE: price}}
  listings: {role: score}
columns:
  id:    {type: string, role: key}
  price: {type: number, role: label}
  size:  {type: number, role: feature}
candidates: {linear_regression: {regParam: 0.1}}
"""


def houses(encoding: str = "utf-8") -> UseCase:
    return parse(HOUSES.replace("ENCODING", encoding), "houses.yaml")


def fate(content: bytes, use_case: UseCase | None = None, source: str = "sales") -> list[str]:
    """What the preflight says of a file with this content."""
    use_case = use_case or houses()
    found = scan(io.BytesIO(content), use_case.sources[source].csv)
    return faults(look_at(use_case, source, "a.csv", content[:HEAD], found.rows, found.fault))


SOUND = {
    "plain": b"id,PRICE,size\n1,2,3\n",
    "a byte-order mark": b"\xef\xbb\xbfid,PRICE,size\n1,2,3\n",
    "a byte-order mark before a quote": b'\xef\xbb\xbf"id",PRICE,size\n1,2,3\n',
    "CRLF": b"id,PRICE,size\r\n1,2,3\r\n",
    "CRLF, and LF in quotes": b'id,PRICE,size\r\n"1\n2",2,3\r\n',
    "LF, and CRLF in quotes": b'id,PRICE,size\n"1\r\n2",2,3\n',
    "no line end at the end": b"id,PRICE,size\n1,2,3",
    "another order": b"size,id,PRICE\n3,1,2\n",
    "blanks around names": b"id, PRICE ,size\n1,2,3\n",
    "an ignored column": b"id,remark,PRICE,size\n1,x,2,3\n",
    "doubled quotes": b'id,PRICE,size\n"say ""hi""",2,3\n',
    "a quote inside of a plain value": b'id,PRICE,size\n5" pipe,2,3\n',
    "blank lines": b"\nid,PRICE,size\n\n1,2,3\n\n",
    "ragged rows, which are rejected one by one": b"id,PRICE,size\n1\n1,2,3,4\n",
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_spark_may_read(content: bytes) -> None:
    assert fate(content) == []


BROKEN = {
    "empty": (b"", "is empty"),
    "only blank lines": (b"\n \n", "is empty"),
    "a header alone": (b"id,PRICE,size\n", "has a header and no rows"),
    "UTF-16": ("id,PRICE,size\n1,2,3\n".encode("utf-16"), "is UTF-16 and not utf-8"),
    "UTF-16 without a mark": ("id,PRICE,size\n1,2,3\n".encode("utf-16-le"), "is UTF-16 and not utf-8"),
    "gzip": (gzip.compress(b"id,PRICE,size\n1,2,3\n"), "is gzip and not CSV text (named .csv.gz it would be unpacked)"),
    "zip": (b"PK\x03\x04rest", "is a zip archive or an Excel workbook and not CSV text"),
    "PDF": (b"%PDF-1.7\n", "is PDF and not CSV text"),
    "parquet": (b"PAR1\x15\x04", "is parquet and not CSV text (its source would say format: parquet)"),
    "HTML": (b"\n<!DOCTYPE html><html>", "is HTML and not CSV text"),
    "another separator": (
        b"id;PRICE;size\n1;2;3\n",
        "the header has 1 column when separated by ','; it looks separated by ';'",
    ),
    "another separator and quotes": (
        b'"id";"PRICE";"size"\n"1";"2";"3"\n',
        "the header has 1 column when separated by ','; it looks separated by ';'",
    ),
    "tabs": (
        b"id\tPRICE\tsize\n1\t2\t3\n",
        "the header has 1 column when separated by ','; it looks separated by a tab",
    ),
    "a missing column": (b"id,PRICE\n1,2\n", "column size is missing"),
    "a missing label": (b"id,size\n1,2\n", "column PRICE is missing"),
    "a doubled column": (b"id,PRICE,size,size\n1,2,3,4\n", "column size is there 2 times"),
    "an unknown column": (
        b"id,PRICE,size,color\n1,2,3,4\n",
        "column color is not in the contract (name it under csv.ignore)",
    ),
    "a name with a line break": (
        b'id,PRICE,size,"re\nmark"\r\n1,2,3,4\r\n',
        "column 're\\nmark' has a line break in its name",
    ),
    "Latin-1": (
        b"id,PRICE,size\ncaf\xe9,2,3\n",
        "is not utf-8: byte 0xe9 in line 2 (byte 18 of the file)",
    ),
    "CR alone": (b"id,PRICE,size\r1,2,3\r", "line 1 holds a carriage return (CR) that ends no line"),
    "both line ends": (
        b"id,PRICE,size\n1,2,3\r\n",
        "line 2 ends in CRLF, the lines before it in LF",
    ),
    "NUL": (b"id,PRICE,size\n1,2,3\n\0,2,3\n", "line 3 holds a NUL byte"),
    "an unclosed quote in the first row": (
        b'id,PRICE,size\n"1,2,3\n4,5,6\n',
        "the quote that opens in line 2 is never closed",
    ),
    "an unclosed quote in the last row": (
        b'id,PRICE,size\n1,2,3\n4,5,"6\n',
        "the quote that opens in line 3 is never closed",
    ),
    "an unclosed quote that meets another": (
        b'id,PRICE,size\n1,2,3\n"4,5,6\n"7",8,9\n',
        "text follows the closing quote of a value that begins in line 3: a quote is not closed there,"
        " or one inside of the value is not doubled",
    ),
    "a quote that is not doubled": (
        b'id,PRICE,size\n"5" pipe",2,3\n',
        "text follows the closing quote of a value that begins in line 2: a quote is not closed there,"
        " or one inside of the value is not doubled",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_the_delivery_is_refused_for(content: bytes, reason: str) -> None:
    assert reason in fate(content)


def test_everything_that_is_wrong_with_a_header_is_said_at_once() -> None:
    assert fate(b"id,PRICE,color,id\n1,2,3,4\n") == [
        "column id is there 2 times",
        "column size is missing",
        "column color is not in the contract (name it under csv.ignore)",
    ]


def test_a_file_to_score_may_have_the_label_or_not() -> None:
    assert fate(b"id,size\n1,3\n", source="listings") == []
    assert fate(b"id,price,size\n1,2,3\n", source="listings") == []


def test_latin_1_is_read_where_it_is_stated_and_a_mark_of_utf_8_is_not() -> None:
    assert fate(b"id,PRICE,size\ncaf\xe9,2,3\n", houses("latin-1")) == []
    assert fate(b"\xef\xbb\xbfid,PRICE,size\n1,2,3\n", houses("latin-1")) == [
        "begins with the mark of UTF-8 and is not latin-1"
    ]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "LONGEST", 2 * 1024**2)
    endless = b"id,PRICE,size\n" + b"x" * 3 * 1024**2
    assert fate(endless) == ["line 2 is longer than 2 MB"]
    unclosed = b'id,PRICE,size\n"' + b"x\n" * 3 * 1024**2
    assert fate(unclosed) == ["the value that begins in line 2 is longer than 2 MB"]


def test_a_scan_tells_size_hash_and_rows_even_of_what_cannot_be_read() -> None:
    settings = houses().sources["sales"].csv
    heard: list[int] = []
    content = b'a,b\r\n1,"x\r\ny"\r\n\r\n2,y\r\n'
    good = scan(io.BytesIO(content), settings, heard.append)
    assert good == Scan(len(content), sha256(content).hexdigest(), 2, ("a", "b"), "")
    assert sum(heard) == len(content)
    content = b"a,b\n\xff,2\n" + b"x,y\n" * 600_000
    bad = scan(io.BytesIO(content), settings)
    assert (bad.bytes, bad.sha256, bad.rows) == (len(content), sha256(content).hexdigest(), None)
