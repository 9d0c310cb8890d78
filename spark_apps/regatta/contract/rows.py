"""Delivered text -> rows with typed values, and of each row whether it is accepted.

Spark reads every value as text; whatever it would make of it by itself is made by `values` instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from regatta.config import UseCase
from regatta.config.dialect import Csv
from regatta.config.expressions import columns_of
from regatta.config.table import Column, Source, quoted
from regatta.contract.reading import CORRUPT, Part, as_text, text_session, texts
from regatta.contract.rules import FAULT, LABELLED, REASON, checks, reasons, sound, text_name, text_of
from regatta.contract.values import blank_free, present, typed

PLACE = ("delivery", "file", "row")
"""Where a row stands: delivery, file name, and its number among the file's data rows, from 1."""
REJECTED = "_rejected"
"""Of judged rows: null where a row is accepted, else what is kept of it (`rejected`)."""
_REJECTED = f"struct<original: string, reasons: array<{REASON}>>"
ASIDE = f"file string, row bigint, {REJECTED} {_REJECTED}"
"""The columns of rejected rows that are written aside; their delivery stands in the path."""
FEW_CHECKS = 150
"""Of more, one projection takes longer to plan than it saves, and of a thousand Spark cannot."""
_CELLS = "_cells"
_PART = "_part"
_REASONS = "_reasons"
_SOUND = "_sound"
_ROW_IN_PARTITION = (1 << 33) - 1  # mask: monotonically_increasing_id counts rows in its lower 33 bits


def delivered(session: SparkSession, use_case: UseCase, of: Sequence[Part]) -> DataFrame:
    """Every data row of the files: its place, its typed values, its texts, and what is wrong with it as a whole.

    Args:
        session: from `reading.text_session`.
        use_case: the contract.
        of: the files; their headers have passed the preflight.
    """
    each = [
        _typed(_placed(session, use_case, part), use_case, part).withColumn(_PART, F.lit(at))
        for at, part in enumerate(of)
    ]
    return reduce(DataFrame.unionByName, each)


def judged(spark: SparkSession, use_case: UseCase, of: Sequence[Part]) -> DataFrame:
    """Every data row of the files: its place, its typed values, and in `_rejected` why it is not accepted.

    Accepted are the rows that meet the contract. Of rows that share their key (without a key: all their values), or
    the value of a unique column, in one delivery the first one stays, by file name and row; a row that is rejected
    for another reason is no one's double.

    It is made to be written as it is: through a filter Spark would compute a value again for each check that reads it.

    Args:
        spark: any session.
        use_case: the contract.
        of: the files; their headers have passed the preflight.
    """
    held = checks(use_case)
    session = text_session(spark, one_projection=len(held) <= FEW_CHECKS)
    rows = delivered(session, use_case, of).withColumn(_SOUND, sound(held))
    rows = rows.withColumn(_REASONS, F.when(~F.col(_SOUND), reasons(held)))
    for columns in _unique(use_case):
        rows = rows.withColumn(_number(columns), _number_among_equals(columns, use_case))
    doubles = [
        F.when(F.col(_number(columns)) > 1, _second(columns, use_case)) for columns in _unique(use_case)
    ]
    second = F.when(F.col(_SOUND), F.array_compact(F.array(*doubles)))
    names = F.array(*(F.array(*map(F.lit, part.columns.names)) for part in of))[F.col(_PART)]
    texts = F.to_json(F.map_from_arrays(names, F.col(_CELLS)), {"ignoreNullFields": "false"})
    kept = F.struct(F.coalesce(CORRUPT, texts), F.coalesce(second, F.col(_REASONS))).cast(_REJECTED)
    fate = F.when(~F.col(_SOUND) | _is_double(use_case), kept)
    return rows.select(*PLACE, *map(quoted, use_case.columns), fate.alias(REJECTED))


def rejected(judged: DataFrame) -> DataFrame:
    """Of judged rows those that are not accepted: their place, the `original` text, and all `reasons` that apply.

    `original` is the row's text by column as JSON, or the line itself where it has not as many values as the header.
    In a reason, `column` and `value` are null where it is about the row as a whole.
    """
    return judged.where(F.col(REJECTED).isNotNull()).select(*PLACE, f"{REJECTED}.*")


def _unique(use_case: UseCase) -> list[tuple[str, ...]]:
    """The sets of columns whose values no two accepted rows of a delivery share; empty: all of them."""
    sets = [use_case.key] if use_case.rejects_duplicates else []
    return sets + [(name,) for name, column in use_case.columns.items() if column.unique]


def _number(columns: tuple[str, ...]) -> str:
    return f"_number by {', '.join(columns)}"


def _number_among_equals(columns: tuple[str, ...], use_case: UseCase) -> Expression:
    """Which one a row is of the sound ones with the same values in its delivery, from 1; so among the others."""
    same = [F.col(quoted(name)) for name in columns or use_case.columns]
    in_order = Window.partitionBy("delivery", _SOUND, *same).orderBy("file", "row")
    number = F.row_number().over(in_order)
    return number if len(columns) != 1 else F.when(same[0].isNotNull(), number)


def _is_double(use_case: UseCase) -> Expression:
    numbers = [F.coalesce(F.col(quoted(_number(columns))), F.lit(1)) > 1 for columns in _unique(use_case)]
    return reduce(or_, numbers, F.lit(False))


def _second(columns: tuple[str, ...], use_case: UseCase) -> Expression:
    is_key = columns == use_case.key
    what = "key" if is_key and columns else "value" if columns else "values"
    what = f"is a second row with {'these' if what == 'values' else 'this'} {what}"
    value = F.concat_ws(", ", *map(text_of, columns)) if columns else F.lit(None)
    return F.struct(F.lit(", ".join(columns) or None), F.lit(what), value).cast(REASON)


def _placed(session: SparkSession, use_case: UseCase, part: Part) -> DataFrame:
    """The data rows of files as they are: place and texts by position."""
    path = F.substring_index(F.input_file_name(), "/", -2)  # `_metadata` would copy each row once more
    return texts(session, use_case.sources[part.source], part).select(
        F.substring_index(path, "/", 1).alias("delivery"),
        F.substring_index(path, "/", -1).alias("file"),
        (F.monotonically_increasing_id().bitwiseAND(_ROW_IN_PARTITION) + 1).alias("row"),
        *_positions(part),
        CORRUPT,
    )


def _typed(placed: DataFrame, use_case: UseCase, part: Part) -> DataFrame:
    """Of texts by position: place, typed values, texts by column, and a fault of the row as a whole."""
    source = use_case.sources[part.source]
    cells = dict(zip(part.columns.names, map(F.col, _positions(part)), strict=True))
    delivered = _delivered(use_case, source, cells)
    kinds = dict(zip(part.columns.names, part.columns.kinds, strict=False))
    in_files = {source.csv.header.get(header, header): kind for header, kind in kinds.items()}
    cleaned = _with_texts(placed, delivered, use_case, source.csv)
    return cleaned.select(
        *PLACE,
        F.lit(source.role == "train").alias(LABELLED),
        _fault(cells, source.csv).alias(FAULT),
        F.array(*cells.values()).alias(_CELLS),
        CORRUPT,
        *(
            _value(
                cleaned, name, delivered.get(name), use_case.columns[name], source.csv, in_files.get(name, "")
            ).alias(name)
            for name in use_case.columns
        ),
        *map(text_of, use_case.columns),
    )


def _positions(part: Part) -> list[str]:
    return [f"_{index}" for index in range(len(part.columns.names))]


def _delivered(use_case: UseCase, source: Source, cells: dict[str, Expression]) -> dict[str, Expression]:
    """The cell of each column that files have by the contract; null where this file has none."""
    by_name = {
        source.csv.header.get(header, header): cell
        for header, cell in cells.items()
        if header not in source.csv.ignore
    }
    computed = use_case.computed
    due = (name for name in use_case.columns if name not in computed)
    return {name: by_name.get(name, F.lit(None).cast("string")) for name in due}


def _with_texts(
    rows: DataFrame, delivered: dict[str, Expression], use_case: UseCase, settings: Csv
) -> DataFrame:
    """The rows, and beside them each column's text: first of those that files have, then of those made of them."""
    columns = use_case.columns
    texts_of_cells = (
        present(cell, settings, columns[name]).alias(text_name(name)) for name, cell in delivered.items()
    )
    rows = rows.select("*", *texts_of_cells)
    expressions = [column.sql for column in columns.values() if column.sql is not None]
    read = sorted({name for sql in expressions for name in columns_of(sql)})
    rows = rows.select("*", *(text_of(name).alias(name) for name in read))  # as expressions name them
    made = (
        present(*_computed(rows, columns[name], settings)).alias(text_name(name))
        for name in sorted(use_case.computed)
    )
    return rows.select("*", *made)


def _value(
    cleaned: DataFrame, name: str, text: Expression | None, column: Column, settings: Csv, kind: str
) -> Expression:
    """The typed value of a column; `kind` is its type in a parquet file, empty in CSV."""
    if text is None or column.sql is not None:
        text, settings, column = _computed(cleaned, column, settings)
        return typed(text, present(text, settings, column), column, settings)
    if kind.startswith(("date", "timestamp")):
        column = column.model_copy(update={"format": None})
    return typed(text, text_of(name), column, settings)


def _computed(cleaned: DataFrame, column: Column, settings: Csv) -> tuple[Expression, Csv, Column]:
    """What a column's `sql` gives, as text, and how that is to be read."""
    computed = F.expr(str(column.sql))
    given = cleaned.select(computed).schema[0].dataType
    if not isinstance(given, T.StringType):  # a number needs no decimal comma, a date no format
        settings, column = Csv(), column.model_copy(update={"format": None})
    return as_text(computed, given), settings, column


def _fault(cells: dict[str, Expression], settings: Csv) -> Expression:
    """What is wrong with a row as a whole; null where nothing is."""
    line = F.col(CORRUPT)
    count = F.concat(F.lit("has "), _values_in(line, settings), F.lit(f" where {len(cells)} are due"))
    repeats = reduce(and_, (blank_free(cell) == header for header, cell in cells.items()))
    return F.when(line.isNotNull(), count).when(repeats, "repeats the header")


def _values_in(line: Expression, settings: Csv) -> Expression:
    """How many values a line has, in words: its separators outside of quotes, and one."""
    quote, separator = settings.quote or "\0", settings.separator
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
