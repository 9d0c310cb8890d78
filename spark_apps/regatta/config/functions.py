"""The functions that an expression of a use-case file may call, by the names that Spark SQL gives them.

All are built in, deterministic, and look at nothing but their arguments; what is not here is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

MANY = 100
"""How many arguments a function of "one or more" may be given."""


class Kind(Enum):
    """What a function is about, as far as the check treats it differently."""

    VALUE = auto()
    TEXT = auto()  # can build a text out of others, and so must read a column (see `expressions`)
    AGGREGATE = auto()


@dataclass(frozen=True)
class Function:
    """One function: how many arguments it takes, and which of them (from 0) must be a text as written."""

    kind: Kind
    least: int
    most: int
    written: int | None = None


def _all(kind: Kind, least: int, most: int, names: str, written: int | None = None) -> dict[str, Function]:
    return {name: Function(kind, least, most, written) for name in names.split()}


FUNCTIONS: Mapping[str, Function] = {
    # choices and missing values
    **_all(Kind.VALUE, 3, 3, "if nvl2"),
    **_all(Kind.VALUE, 1, MANY, "coalesce"),
    **_all(Kind.VALUE, 2, MANY, "greatest least"),
    **_all(Kind.VALUE, 2, 2, "ifnull nvl nullif nanvl"),
    **_all(Kind.VALUE, 1, 1, "isnull isnotnull isnan"),
    # numbers
    **_all(Kind.VALUE, 0, 0, "pi e"),
    **_all(Kind.VALUE, 1, 1, "abs sign signum rint sqrt cbrt exp expm1 ln log10 log1p log2 degrees radians"),
    **_all(Kind.VALUE, 1, 1, "sin cos tan asin acos atan sinh cosh tanh"),
    **_all(Kind.VALUE, 1, 2, "ceil ceiling floor round bround log"),
    **_all(
        Kind.VALUE,
        2,
        2,
        "mod pmod pow power atan2 hypot try_add try_subtract try_multiply try_divide try_mod",
    ),
    **_all(Kind.VALUE, 4, 4, "width_bucket"),
    # types: int(x) is cast(x as int)
    **_all(
        Kind.VALUE, 1, 1, "boolean tinyint smallint int bigint float double decimal string date timestamp"
    ),
    # dates
    **_all(Kind.VALUE, 1, 1, "year quarter month weekofyear day dayofmonth dayofweek dayofyear weekday"),
    **_all(Kind.VALUE, 1, 1, "hour minute second last_day unix_date unix_seconds date_from_unix_date"),
    **_all(Kind.VALUE, 2, 2, "date_add date_sub add_months datediff date_diff next_day"),
    **_all(Kind.VALUE, 2, 3, "months_between"),
    **_all(Kind.VALUE, 3, 3, "make_date"),
    **_all(Kind.VALUE, 1, 2, "to_date to_timestamp try_to_date try_to_timestamp unix_timestamp", written=1),
    **_all(Kind.VALUE, 2, 2, "date_trunc", written=0),
    **_all(Kind.VALUE, 2, 2, "trunc", written=1),
    **_all(Kind.TEXT, 2, 2, "date_format", written=1),
    **_all(Kind.TEXT, 1, 2, "from_unixtime", written=1),
    **_all(Kind.TEXT, 1, 1, "dayname monthname"),
    # texts
    **_all(Kind.TEXT, 1, 1, "upper lower ucase lcase initcap trim ltrim rtrim reverse soundex"),
    **_all(Kind.TEXT, 1, 1, "length char_length character_length ascii"),
    **_all(Kind.TEXT, 1, 2, "btrim"),
    **_all(Kind.TEXT, 2, 2, "left right instr contains startswith endswith"),
    **_all(Kind.TEXT, 2, 3, "substring substr lpad rpad replace locate levenshtein"),
    **_all(Kind.TEXT, 3, 3, "translate split_part"),
    **_all(Kind.TEXT, 1, MANY, "concat"),
    **_all(Kind.TEXT, 2, MANY, "concat_ws"),
    **_all(Kind.TEXT, 2, 2, "regexp_like regexp_count regexp_substr"),
    **_all(Kind.TEXT, 2, 3, "regexp_extract"),
    **_all(Kind.TEXT, 3, 3, "regexp_replace"),
    # aggregates whose answer does not depend on the order of the rows
    **_all(Kind.AGGREGATE, 1, 1, "count count_if sum avg mean min max median bool_and bool_or"),
    **_all(Kind.AGGREGATE, 1, 1, "stddev stddev_pop stddev_samp variance var_pop var_samp"),
    **_all(Kind.AGGREGATE, 2, 2, "percentile"),
}

_TYPES = """
    boolean tinyint byte smallint short int integer bigint long float real double decimal dec numeric
    string date timestamp timestamp_ntz
"""
TYPES = frozenset(_TYPES.split())
"""What a value may be cast to."""


def _because(reason: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), reason)


REFUSED: Mapping[str, str] = {
    **_because(
        "gives another answer on another run",
        "rand random randn randstr uniform uuid shuffle now curdate current_date current_time"
        " current_timestamp localtimestamp monotonically_increasing_id spark_partition_id",
    ),
    **_because(
        "depends on the order of the rows, which nothing holds",
        "first first_value last last_value any_value collect_list collect_set array_agg listagg string_agg"
        " mode max_by min_by",
    ),
    **_because("runs code that is not Spark's", "java_method reflect try_reflect"),
    **_because(
        "reads the session or the file and not the row",
        "input_file_name input_file_block_start input_file_block_length current_user user session_user"
        " current_catalog current_database current_schema current_timezone version",
    ),
    **_because(
        "looks at other rows", "over lag lead row_number rank dense_rank percent_rank cume_dist ntile window"
    ),
    **_because("asks for a query, and an expression is about one row", "select from where exists with table"),
    **_because("makes several rows of one", "explode explode_outer posexplode inline stack"),
    **_because(
        "makes a list or a structure, and one value is needed",
        "array map struct named_struct sequence split transform filter aggregate from_json from_csv",
    ),
    **_because("gives a name, and the expression has one already: its key in the file", "as"),
    **_because("ends the job", "raise_error assert_true"),
}
"""Why some names are not in the list, for those who looked for them."""

INSTEAD: Mapping[str, str] = {
    "max": "for the largest of several columns write greatest(a, b)",
    "min": "for the smallest of several columns write least(a, b)",
    "extract": "write year(day), month(day), dayofweek(day) and so on",
    "date_part": "write year(day), month(day), dayofweek(day) and so on",
    "interval": "write date_add(day, 1) or add_months(day, 1)",
    "position": "write locate('text', column)",
    "varchar": "write string",
    "char": "write string",
    "text": "write string",
    "number": "write double",
    "filter": "write sum(if(condition, value, 0))",
}
"""What to write in place of a name."""
