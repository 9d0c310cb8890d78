"""Delivered files -> their values as text, by position: whatever they are, the contract judges texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from regatta.config.dialect import Csv
from regatta.config.table import Source
from regatta.contract.preflight import Sound
from regatta.lake import Store, layout
from regatta.lake.parquet import Columns

CORRUPT = "_corrupt"
"""A line that has not as many values as the header; null for every other row."""
_IN_JAVA = {"latin-1": "iso-8859-1"}  # encodings that Java knows by another name
_WHOLE_FILE = 1 << 40  # bytes; larger than any file
_EXACT_IN_DOUBLE = 1 << 53
_NANOSECONDS = "timestamp[ns"


@dataclass(frozen=True)
class Part:
    """Files that Spark can read at once: of one source, with the same columns."""

    source: str
    columns: Columns
    paths: tuple[str, ...]


def text_session(spark: SparkSession, *, one_projection: bool = False) -> SparkSession:
    """A session for reading delivered text, which leaves the caller's as it is.

    Every file is a partition of its own, which is what numbers its rows without a shuffle. What cannot be computed
    is null and ends no job: one bad row would otherwise keep all others out.

    Args:
        spark: any session.
        one_projection: all that is made of a text is made in one step, for each further one copies all texts of a row;
            planning that takes longer the more columns there are.
    """
    session = spark.newSession()
    settings = {
        "spark.sql.files.maxPartitionBytes": _WHOLE_FILE,
        "spark.sql.files.openCostInBytes": _WHOLE_FILE,
        "spark.sql.files.minPartitionNum": 1,
        "spark.sql.codegen.wholeStage": "false",  # one method of all checks: too large for Java to compile
        "spark.sql.optimizer.collapseProjectAlwaysInline": str(one_projection).lower(),
        "spark.sql.ansi.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.legacy.timeParserPolicy": "CORRECTED",
        "spark.sql.legacy.javaCharsets": "true",  # Spark's own list has no windows-1252
        "spark.sql.legacy.parquet.nanosAsLong": "true",  # else Spark refuses what pandas writes
    }
    for name, value in settings.items():
        session.conf.set(name, str(value))
    return session


def parts(store: Store, sound: Iterable[Sound]) -> list[Part]:
    """The files of deliveries, grouped so that Spark reads as many as possible at once."""
    grouped: dict[tuple[str, Columns], list[str]] = {}
    for one in sound:
        folder = layout.raw(one.delivery.source, one.delivery.delivery)
        for file, columns in one.headers.items():
            grouped.setdefault((one.delivery.source, columns), []).append(store.uri(folder + file))
    return [Part(source, columns, tuple(paths)) for (source, columns), paths in grouped.items()]


def texts(session: SparkSession, source: Source, part: Part) -> DataFrame:
    """Every value as text, in columns `_0`, `_1`, ... by position, and `_corrupt`; `_metadata` can be read too."""
    return _of_parquet(session, part) if source.format == "parquet" else _of_csv(session, source.csv, part)


def as_text(value: Expression, kind: T.DataType) -> Expression:
    """A value that has a type already, as the text that the contract reads.

    That is ISO 8601 for dates, and a point and no exponent for whole numbers.
    """
    if isinstance(kind, T.DoubleType | T.FloatType):
        is_whole = (value == F.floor(value)) & (F.abs(value) < _EXACT_IN_DOUBLE)
        return F.when(is_whole, value.cast("bigint").cast("string")).otherwise(value.cast("string"))
    if isinstance(kind, T.TimestampType | T.TimestampNTZType):
        return F.regexp_replace(value.cast("string"), " 00:00:00$", "")
    return value.cast("string")


def _of_csv(session: SparkSession, settings: Csv, part: Part) -> DataFrame:
    """Within quotes the line ends of a CRLF file become LF; every other character stays."""
    names = [*(f"_{index}" for index in range(len(part.columns.names))), CORRUPT]
    quote = settings.quote or ""  # without one nothing is quoted
    comment = {"comment": settings.comment} if settings.comment else {}
    return session.read.csv(
        list(part.paths),
        schema=T.StructType([T.StructField(name, T.StringType()) for name in names]),
        header=settings.names is None,
        multiLine=True,
        sep=settings.separator,
        quote=quote,
        escape=quote or "\0",
        encoding=_IN_JAVA.get(settings.encoding, settings.encoding),
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=CORRUPT,
        nullValue="\0",  # which the preflight refuses, so that no text is taken for null
        emptyValue="",
        ignoreLeadingWhiteSpace=False,
        ignoreTrailingWhiteSpace=False,
        maxCharsPerColumn=-1,
        maxColumns=max(20_480, 2 * len(names)),
        **comment,
    )


def _of_parquet(session: SparkSession, part: Part) -> DataFrame:
    rows = session.read.parquet(*part.paths)
    kinds = dict(zip(part.columns.names, part.columns.kinds, strict=True))
    fields = {field.name: field.dataType for field in rows.schema.fields}
    cells = []
    for index, name in enumerate(part.columns.names):
        value, kind = F.col(f"`{name}`"), fields[name]
        if kinds[name].startswith(_NANOSECONDS):
            value, kind = F.timestamp_micros((value / 1000).cast("bigint")), T.TimestampType()
        cells.append(as_text(value, kind).alias(f"_{index}"))
    return rows.select("_metadata", *cells, F.lit(None).cast("string").alias(CORRUPT))
