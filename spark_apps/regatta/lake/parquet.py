"""A delivered parquet file: its columns, and its rows counted by reading them all.

pyarrow is imported where it is needed: commands that meet no parquet need not wait for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from regatta.lake.scan import PIECE, Progress, Readable, Scan


@dataclass(frozen=True)
class Columns:
    """What a file's footer says: names in order, and Arrow's names of their types. Empty if it is unreadable."""

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def columns_of(file: BinaryIO) -> Columns:
    """Read the footer alone; a file that is no parquet has no columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.ParquetFile(file).schema_arrow
    except (pa.ArrowException, OSError):
        return Columns()
    return Columns(tuple(schema.names), tuple(str(plain_type(kind)) for kind in schema.types))


def rows_of(file: BinaryIO) -> int:
    """How many rows a parquet file has, by its footer."""
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(file).metadata.num_rows)


def plain_type(kind: Any) -> Any:
    """The type of the values themselves, where a file stores them by number."""
    from pyarrow.types import is_dictionary

    return kind.value_type if is_dictionary(kind) else kind


def scan_parquet(content: Readable, file: BinaryIO, progress: Progress | None = None) -> Scan:
    """Read a file once for its hash and once for its rows, so that a damaged page is found before Spark meets it.

    Args:
        content: the file, from its beginning.
        file: the same, to be read at any place.
        progress: told the bytes read, a piece at a time.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    size, sha256 = 0, hashlib.sha256()
    while piece := content.read(PIECE):
        size += len(piece)
        sha256.update(piece)
        if progress:
            progress(len(piece))
    rows: int | None = 0
    header: tuple[str, ...] = ()
    fault = ""
    try:
        parquet = pq.ParquetFile(file)
        header = tuple(parquet.schema_arrow.names)
        rows = sum(batch.num_rows for batch in parquet.iter_batches())
    except (pa.ArrowException, OSError) as error:
        rows, fault = None, f"is not parquet that can be read ({str(error).splitlines()[0].rstrip('.')})"
    return Scan(size, sha256.hexdigest(), rows, header, fault)
