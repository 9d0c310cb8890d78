"""Delivered text -> rows with typed values, and of each row whether it is accepted.

Spark reads every value as text; whatever it would make of it by itself is made by `values` instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from regatta.config import UseCase
from regatta.config.table import Csv, quoted
from regatta.contract.preflight import Sound
from regatta.contract.rules import FAULT, LABELLED, REASON, reasons, sound, text_name, text_of
from regatta.contract.values import present, typed
from regatta.lake import Store, layout

PLACE = ("delivery", "file", "row")
"""Where a row stands: delivery, file name, and its number among the file's data rows, from 1."""
REJECTED = f"file string, row bigint, original string, reasons array<{REASON}>"
"""The columns of rejected rows; their delivery stands in the path."""
_IN_JAVA = {"latin-1": "iso-8859-1"}  # encodings that Java knows by another name
_CORRUPT = "_corrupt"
_ORIGINAL = "_original"
_SOUND = "_sound"
_NUMBER = "_number"
_WHOLE_FILE = 1 << 40  # bytes; larger than any file
_ROW_IN_PARTITION = (1 << 33) - 1  # mask: monotonically_increasing_id counts rows in its lower 33 bits


@dataclass(frozen=True)
class Part:
    """Files that Spark can read at once: of one source, with one header."""

    source: str
    header: tuple[str, ...]
    paths: tuple[str, ...]


def text_session(spark: SparkSession) -> SparkSession:
    """A session for reading delivered text, which leaves the caller's as it is.

    Every file is a partition of its own, which is what numbers its rows without a shuffle. What cannot be computed
    is null and ends no job: one bad row would otherwise keep all others out.
    """
    session = spark.newSession()
    settings = {
        "spark.sql.files.maxPartitionBytes": _WHOLE_FILE,
        "spark.sql.files.openCostInBytes": _WHOLE_FILE,
        "spark.sql.files.minPartitionNum": 1,
        "spark.sql.ansi.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.legacy.timeParserPolicy": "CORRECTED",
        "spark.sql.legacy.javaCharsets": "true",  # Spark's own list has no windows-1252
    }
    for name, value in settings.items():
        session.conf.set(name, str(value))
    return session


def parts(store: Store, sound: Iterable[Sound]) -> list[Part]:
    """The files of deliveries, grouped so that Spark reads as many as possible at once."""
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in sound:
        folder = layout.raw(one.delivery.source, one.delivery.delivery)
        for file, header in one.headers.items():
            grouped.setdefault((one.delivery.source, header), []).append(store.uri(folder + file))
    return [Part(source, header, tuple(paths)) for (source, header), paths in grouped.items()]


def delivered(session: SparkSession, use_case: UseCase, of: Iterable[Part]) -> DataFrame:
    """Every data row of the files: its place, its typed values, its texts, and what is wrong with it as a whole.

    Args:
        session: from `text_session`.
        use_case: the contract.
        of: the files; their headers have passed the preflight.
    """
    return reduce(DataFrame.unionByName, [read(session, use_case, part) for part in of])


def accepted(rows: DataFrame, use_case: UseCase) -> DataFrame:
    """Of delivered rows those that meet the contract: their place and their typed values.

    Of rows that share their key (without a key: all their values) in one delivery the first one stays, by file name
    and row; a row that is rejected for another reason is no one's double.
    """
    kept = rows.where(sound(use_case))
    if use_case.rejects_duplicates:
        kept = kept.withColumn(_NUMBER, _number_among_equals(use_case)).where(F.col(_NUMBER) == 1)
    return kept.select(*PLACE, *map(quoted, use_case.columns))


def rejected(rows: DataFrame, use_case: UseCase) -> DataFrame:
    """Of delivered rows those that do not: their place, the original text, and every reason that applies.

    `original` is the row's text by column as JSON, or the line itself where it has not as many values as the
    header. In a reason, `column` and `value` are null where it is about the row as a whole.
    """
    judged = rows.withColumn(_SOUND, sound(use_case))
    left, every = ~F.col(_SOUND), F.when(~F.col(_SOUND), reasons(use_case))
    if use_case.rejects_duplicates:
        judged = judged.withColumn(_NUMBER, _number_among_equals(use_case, F.col(_SOUND)))
        left, every = left | (F.col(_NUMBER) > 1), every.otherwise(F.array(_second(use_case)))
    return judged.where(left).select(*PLACE, F.col(_ORIGINAL).alias("original"), every.alias("reasons"))


def _number_among_equals(use_case: UseCase, *also: Expression) -> Expression:
    """Which one a row is of those with the same key in its delivery, from 1."""
    same = [F.col(quoted(name)) for name in use_case.key or use_case.columns]
    in_order = Window.partitionBy("delivery", *also, *same).orderBy("file", "row")
    return F.row_number().over(in_order)


def _second(use_case: UseCase) -> Expression:
    key = use_case.key
    what = "is a second row with this key" if key else "is a second row with these values"
    value = F.concat_ws(", ", *map(text_of, key)) if key else F.lit(None)
    return F.struct(F.lit(", ".join(key) or None), F.lit(what), value).cast(REASON)


def read(session: SparkSession, use_case: UseCase, part: Part) -> DataFrame:
    """The data rows of files as they are: place, typed values, texts, and a fault of the row as a whole.

    Values and row number are made in one projection on purpose: Spark moves no filter below a row number, so the
    values are computed once, and not again for each check that reads them.
    """
    settings = use_case.sources[part.source]
    cells = {header: F.col(f"_{index}") for index, header in enumerate(part.header)}
    by_name = {
        settings.csv.header.get(header, header): cell
        for header, cell in cells.items()
        if header not in settings.csv.ignore
    }
    delivered = {name: by_name.get(name, F.lit(None).cast("string")) for name in use_case.columns}
    texts = {text_name(name): present(text, settings.csv) for name, text in delivered.items()}
    path = F.split(F.col("_metadata.file_path"), "/")
    return (
        _text(session, settings.csv, part)
        .select("*", path.alias("_path"), *(text.alias(name) for name, text in texts.items()))
        .select(
            F.element_at("_path", -2).alias("delivery"),
            F.element_at("_path", -1).alias("file"),
            (F.monotonically_increasing_id().bitwiseAND(_ROW_IN_PARTITION) + 1).alias("row"),
            F.lit(settings.role == "train").alias(LABELLED),
            _fault(cells, settings.csv).alias(FAULT),
            _original(cells).alias(_ORIGINAL),
            *(
                typed(text, text_of(name), use_case.columns[name], settings.csv).alias(name)
                for name, text in delivered.items()
            ),
            *map(text_of, use_case.columns),
        )
    )


def _fault(cells: dict[str, Expression], settings: Csv) -> Expression:
    """What is wrong with a row as a whole; null where nothing is."""
    line = F.col(_CORRUPT)
    count = F.concat(F.lit("has "), _values_in(line, settings), F.lit(f" where {len(cells)} are due"))
    repeats = reduce(and_, (F.trim(cell) == header for header, cell in cells.items()))
    return F.when(line.isNotNull(), count).when(repeats, "repeats the header")


def _original(cells: dict[str, Expression]) -> Expression:
    texts = F.struct(*(cell.alias(header) for header, cell in cells.items()))
    return F.coalesce(F.col(_CORRUPT), F.to_json(texts, {"ignoreNullFields": "false"}))


def _text(session: SparkSession, settings: Csv, part: Part) -> DataFrame:
    """Every value as text, in columns `_0`, `_1`, ... by position; `_corrupt` holds lines with more or fewer.

    Within quotes the line ends of a CRLF file become LF; every other character stays.
    """
    names = [*(f"_{index}" for index in range(len(part.header))), _CORRUPT]
    return session.read.csv(
        list(part.paths),
        schema=T.StructType([T.StructField(name, T.StringType()) for name in names]),
        header=True,
        multiLine=True,
        sep=settings.separator,
        quote=settings.quote,
        escape=settings.quote,
        encoding=_IN_JAVA.get(settings.encoding, settings.encoding),
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=_CORRUPT,
        nullValue="\0",  # which the preflight refuses, so that no text is taken for null
        emptyValue="",
        ignoreLeadingWhiteSpace=False,
        ignoreTrailingWhiteSpace=False,
        maxCharsPerColumn=-1,
    )


def _values_in(line: Expression, settings: Csv) -> Expression:
    """How many values a line has, in words: its separators outside of quotes, and one."""
    quote, separator = settings.quote, settings.separator
    inner = (
        "\u0001"  # a doubled quote belongs to a value: put out of the way, and the quotes left are its ends
    )
    plain = F.regexp_replace(
        F.replace(line, F.lit(quote * 2), F.lit(inner)),
        rf"(?<=^|[\Q{separator}\E{inner}])\Q{quote}\E[^\Q{quote}\E]*+\Q{quote}\E",
        "",
    )
    separators = F.length(plain) - F.length(F.replace(plain, F.lit(separator), F.lit("")))
    return F.concat(separators + 1, F.when(separators == 0, " value").otherwise(" values"))
