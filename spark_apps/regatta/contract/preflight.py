"""A look at the files of a delivery before Spark reads them: what would be silently wrong is refused here.

Given a schema, Spark reads swapped columns, another separator, a gzip file or UTF-16 without a word. So each file
is held against the contract by its first bytes; its rows were counted when it landed.
"""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from regatta.config import UseCase
from regatta.contract.form import HEAD, Look, faults, header_of
from regatta.lake import Delivery, Lake, layout
from regatta.lake.landing import scan_of
from regatta.lake.parquet import Columns, columns_of
from regatta.lake.records import DeliveredFile
from regatta.lake.scan import dialect, is_packed
from regatta.lake.store import COPIES_AT_ONCE, Stored


@dataclass(frozen=True)
class Sound:
    """A delivery that Spark can read: the columns of each of its files, and their data rows together.

    Of a CSV file the columns have no kinds: everything in it is text.
    """

    delivery: Delivery
    headers: dict[str, Columns]
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
    return Sound(delivery, {look.name: Columns(look.header, look.kinds) for look in looks}, rows)


def look_at(
    use_case: UseCase,
    source: str,
    name: str,
    head: bytes,
    rows: int | None,
    fault: str = "",
    altered: str = "",
    columns: Columns | None = None,
) -> Look:
    """What `faults` needs to know of a file of the source; `columns` are those of a parquet file."""
    settings = use_case.sources[source].csv
    required, optional = names_in_files(use_case, source)
    if is_packed(name):
        head = _unpacked(head)
    header = header_of(head, settings) if columns is None else columns.names
    kinds = columns.kinds if columns else ()
    return Look(
        *(name, head, header, rows, fault, altered, settings, required, optional, kinds), columns is not None
    )


def _look(lake: Lake, delivery: Delivery, file: DeliveredFile, standing: Stored | None) -> Look:
    key = layout.raw(delivery.source, delivery.delivery) + file.name
    source = lake.use_case.sources[delivery.source]
    if standing is None:
        return look_at(lake.use_case, delivery.source, file.name, b"", None, altered="is gone")
    altered = "" if standing.etag == file.etag else "is not what was landed"
    rows, fault = file.rows, ""
    if not altered and (rows is None or delivery.dialect != dialect(source)):
        found = scan_of(lake.store, key, standing.bytes, source)
        rows, fault = found.rows, found.fault
    head = lake.store.first_bytes(key, HEAD)
    columns = None
    if source.format == "parquet":
        columns = columns_of(lake.store.at_any_place(key, standing.bytes))
    return look_at(lake.use_case, delivery.source, file.name, head, rows, fault, altered, columns)


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error:
        return head


def names_in_files(use_case: UseCase, source: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The names that a header of the source must hold, and those that it may."""
    settings = use_case.sources[source]
    in_files = {name: header for header, name in settings.csv.header.items()}
    withheld = use_case.withheld if settings.role == "score" else frozenset()
    due = [name for name in use_case.columns if name not in use_case.computed]
    required = tuple(in_files.get(name, name) for name in due if name not in withheld)
    optional = {in_files.get(name, name) for name in due if name in withheld}
    return required, frozenset(settings.csv.ignore) | optional
