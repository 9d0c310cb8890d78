from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import DataFrame, SparkSession

from regatta.config.expressions import Problem, Purpose, columns_of, problems
from regatta.config.functions import FUNCTIONS

ROW: dict[str, tuple[str, object]] = {
    "price": ("double", 538_000.0),
    "sqft_living": ("int", 2570),
    "bedrooms": ("int", 3),
    "bathrooms": ("double", 2.25),
    "waterfront": ("boolean", False),
    "zipcode": ("string", "98125"),
    "listed": ("string", "20141209T000000"),
    "day": ("date", dt.date(2014, 12, 9)),
    "sold_at": ("timestamp", dt.datetime(2014, 12, 9, 14, 30)),
    "White Marble": ("int", 1),
    "Año": ("int", 1951),
    "1stFlrSF": ("double", 856.0),
    "date": ("date", dt.date(2014, 12, 9)),
}
LABEL = "price"

HONEST = """
    sqft_living
    bedrooms + bathrooms * 2 - -1
    sqft_living / bedrooms
    sqft_living div bedrooms % 7
    sqft_living*-1
    (bedrooms + bathrooms) / nullif(sqft_living, 0)
    `White Marble` * 1.5e-3
    2014 - `Año`
    `1stFlrSF` + `sqft_living`
    .5 * bathrooms + 1. + 1L + 2.5D + 1BD
    date
    case when bedrooms > 3 then 'big' when bedrooms = 0 then null else 'small' end
    case bedrooms when 1 then 'one' else 'more' end
    if(waterfront, 1, 0)
    cast(waterfront as int) + try_cast(zipcode as double)
    cast(bathrooms as decimal(10, 2))
    CAST(zipcode AS BIGINT)
    bedrooms >= 2 AND bathrooms < 4 OR NOT waterfront
    bedrooms == 3 or bedrooms <> 4 and bedrooms != 5 or bedrooms <=> null
    !waterfront
    bedrooms between 1 and 5
    bedrooms not in (0, 33)
    zipcode in ('98125', '98103')
    zipcode like '98%' and zipcode not like '97\\_%'
    zipcode ilike 'a!%%' escape '!'
    zipcode rlike '^98[0-9]{3}$'
    zipcode like 'today' or zipcode like 'now' and waterfront
    zipcode = 'O''Brien'
    zipcode = 'it\\'s ü → 你好'
    waterfront is true and price is not null and bathrooms is null
    date '2015-01-31' > day and sold_at < timestamp '2015-01-31 12:30:00'
    day < '2015-01-31'
    regexp_extract(zipcode, '(\\\\d+)', 1)
    nvl2(bathrooms, bathrooms, 0) + coalesce(bathrooms, bedrooms, 0)
    greatest(bedrooms, bathrooms) - least(bedrooms, bathrooms, 1)
    ifnull(bathrooms, 0) + nvl(bathrooms, 0) + nanvl(bathrooms, 0)
    isnull(bathrooms) or isnotnull(bathrooms) or isnan(bathrooms)
    pi() * e() * abs(bathrooms) * sign(bathrooms) * signum(bathrooms) * rint(bathrooms)
    sqrt(sqft_living) + cbrt(sqft_living) + exp(bathrooms) + expm1(bathrooms)
    ln(price) + log10(price) + log1p(price) + log2(price) + log(price) + log(2, price)
    sin(radians(bathrooms)) + cos(bathrooms) + tan(bathrooms) + degrees(atan(bathrooms))
    asin(0.5) + acos(bathrooms / 10) + sinh(bathrooms) + cosh(bathrooms) + tanh(bathrooms)
    ceil(bathrooms) + ceiling(bathrooms) + floor(bathrooms) + round(bathrooms) + round(bathrooms, 1)
    bround(bathrooms, 1) + ceil(bathrooms, 1) + floor(bathrooms, 1)
    mod(bedrooms, 2) + pmod(bedrooms, 2) + pow(bedrooms, 2) + power(bedrooms, 2)
    atan2(bathrooms, bedrooms) + hypot(bathrooms, bedrooms) + width_bucket(price, 0, 1000000, 10)
    try_add(bedrooms, 1) + try_subtract(bedrooms, 1) + try_multiply(bedrooms, 2)
    try_divide(price, bedrooms - 3)
    try_mod(bedrooms, 0)
    boolean(bedrooms) or tinyint(bedrooms) = smallint(bedrooms)
    int(zipcode) + bigint(zipcode) + float(zipcode) + double(zipcode) + decimal(zipcode)
    string(bedrooms)
    datediff(date(day), timestamp('2015-01-31'))
    year(day) * 100 + month(day) + quarter(day) + weekofyear(day) + dayofyear(day) + weekday(day)
    day(day) + dayofmonth(day) + dayofweek(day) + hour(sold_at) + minute(sold_at) + second(sold_at)
    date_diff(last_day(day), date_from_unix_date(unix_date(day))) + unix_seconds(sold_at)
    date_add(date_sub(day, 1), bedrooms)
    months_between(add_months(day, 3), day) + months_between(day, sold_at, false)
    next_day(day, 'MONDAY')
    make_date(2014, bedrooms, 1)
    datediff(to_date(left(listed, 8), 'yyyyMMdd'), to_date('2014-01-01'))
    to_timestamp(listed, "yyyyMMdd'T'HHmmss")
    to_timestamp(listed, 'yyyyMMdd\\'T\\'HHmmss')
    try_to_timestamp(zipcode, 'yyyyMMdd')
    try_to_date(zipcode)
    try_to_date(zipcode, 'yyyyMMdd')
    unix_timestamp(sold_at) - unix_timestamp(zipcode, 'yyyyM')
    date_trunc('MONTH', sold_at)
    trunc(day, 'MM')
    date_format(day, 'yyyy-MM')
    from_unixtime(bedrooms, 'yyyy')
    concat(dayname(day), monthname(day))
    upper(lower(ucase(lcase(initcap(zipcode)))))
    reverse(trim(ltrim(rtrim(btrim(zipcode)))))
    btrim(zipcode, '9')
    soundex(zipcode)
    length(zipcode) + char_length(zipcode) + character_length(zipcode) + ascii(zipcode)
    instr(zipcode, '1') + locate('1', zipcode) + locate('1', zipcode, 2) + levenshtein(zipcode, '98')
    contains(zipcode, '1') or startswith(zipcode, '9') or endswith(zipcode, '5')
    concat_ws('-', left(zipcode, 2), right(zipcode, 3), substring(zipcode, 2), substr(zipcode, 1, 3))
    lpad(zipcode, 6, '0') > rpad(zipcode, 6)
    replace(translate(zipcode, '9', '8'), '1', '2')
    split_part(zipcode, '1', 1)
    regexp_replace(zipcode, '[^0-9]', '')
    regexp_like(zipcode, '^98') or regexp_count(zipcode, '9') > 1 or regexp_substr(zipcode, '1') = '1'
    regexp_extract(zipcode, '([0-9])')
"""
AGGREGATES = """
    count(*)
    sum(bedrooms * price)
    count(distinct zipcode)
    count(distinct zipcode, bedrooms)
    avg(price) + mean(price) + min(price) + max(price) + median(price) + percentile(price, 0.9)
    stddev(price) + stddev_pop(price) + stddev_samp(price) + variance(price) + var_pop(price) + var_samp(price)
    count_if(waterfront) + count(price) + sum(if(waterfront, 1, 0))
    bool_and(waterfront) or bool_or(waterfront)
"""


def lines(corpus: str) -> list[str]:
    return [line.strip() for line in corpus.strip().splitlines()]


DOUBLE_QUOTED = [sql for sql in lines(HONEST) if '"' in sql]
HONEST_ROWS = [sql for sql in lines(HONEST) if '"' not in sql]

ATTACKS = [
    # other answers on other runs
    "rand()",
    "RAND ( )",
    "bedrooms + randn(42)",
    "uuid()",
    "current_date",
    "current_timestamp()",
    "now()",
    "monotonically_increasing_id()",
    "unix_timestamp()",
    "datediff('today', day)",
    "day < ' Yesterday '",
    "day < '\\ntomorrow'",
    "cast('now' as timestamp)",
    "coalesce(day, 'today UTC')",
    "timestamp 'now'",
    "date'today'",
    "to_date(concat('to', 'day'))",
    "to_date(reverse('yadot'))",
    "to_date(date_format(date '2015-01-31', '\\'today\\''))",
    "day = '\\u0074oday'",
    "day = '\\164oday'",
    "day = 'to' 'day'",
    "day = 'to' || 'day'",
    "zipcode like 'today' < day",
    "zipcode like 'today' div day",
    # code, files, secrets, the session
    "java_method('java.util.UUID', 'randomUUID')",
    "reflect('java.lang.System', 'getenv', 'HOME')",
    "try_reflect('java.lang.System', 'exit')",
    "`java_method`('java.util.UUID', 'randomUUID')",
    "`reflect` ('java.lang.System', 'getenv', 'HOME')",
    "system.builtin.rand()",
    "`system`.`builtin`.`rand`()",
    "identifier('rand')()",
    "input_file_name()",
    "current_user()",
    "'${env:AWS_SECRET_ACCESS_KEY}'",
    "`${system:user.name}`",
    "zipcode = '__THIS__'",
    "__THIS__",
    "raise_error(zipcode)",
    # more than one expression of one row
    "",
    "   ",
    "*",
    "bedrooms, price",
    "bedrooms as b",
    "bedrooms b",
    "`bedrooms` `bathrooms`",
    "bedrooms; drop table t",
    "bedrooms;",
    "select 1",
    "(select max(price) from listings)",
    "bedrooms in (select 1)",
    "exists (select 1)",
    "1 from listings",
    "bedrooms -- and more",
    "bedrooms /* and more */",
    "bedrooms /*+ broadcast(t) */",
    "(bedrooms, bathrooms)",
    "bedrooms)",
    "(bedrooms",
    ")(",
    "explode(array(1, 2))",
    "stack(2, 1, 2)",
    "max(bedrooms)",
    "count(*)",
    "sum(bedrooms) over (partition by zipcode)",
    "lag(bedrooms) over (order by day)",
    "row_number() over (order by day)",
    "sum(bedrooms) filter (where waterfront)",
    # lists, lambdas, structures
    "array(1, 2)[0]",
    "map('a', 1)",
    "struct(bedrooms)",
    "transform(array(1), x -> x + 1)",
    "bedrooms -> bathrooms",
    "bedrooms => 1",
    "zipcode:a.b",
    "cast(zipcode as array<int>)",
    "cast(zipcode as binary)",
    "interval 1 day",
    "bedrooms::int",
    # parameters and templates
    ":bedrooms",
    "?",
    "@bedrooms",
    "{{ bedrooms }}",
    "${bedrooms}",
    # the label, and names that are none
    "price / sqft_living",
    "PRICE",
    "`Price`",
    "t.bedrooms",
    "`t`.`bedrooms`",
    "sqft_livin",
    "Bedrooms",
    "`Bedrooms`",
    "_metadata",
    "`bed``rooms`",
    "White Marble",
    "date_trunc(price, sold_at)",
    "date_trunc(zipcode, sold_at)",
    "to_date(listed, zipcode)",
    # a text for one parser and code for another
    "r'\\' || uuid() || '\\''",
    "R'\\'",
    "x'1F'",
    "'a\\'",
    "'a''",
    '"bedrooms"',
    "'\\d+' = zipcode",
    "bedrooms \x00 + 1",
    "zipcode = 'a\x00b'",
    "bedrооms",  # with Cyrillic letters
    "bedrooms\u00a0+ 1",
    "bedrooms − 1",  # noqa: RUF001 -- a minus that is none
    "bedrooms \u202e+ 1",
    "٣ + 1",
    "1e400",
    "1" * 39,
    "1stFlrSF",
    "bedrooms ^ 2",
    "bedrooms ** 2",
    "bedrooms !> 1",
    "bedrooms | 1",
    "zipcode collate UTF8_LCASE",
    "sold_at at time zone 'UTC'",
    "bedrooms like any ('a', 'b')",
    "round(bathrooms",
    "round()",
    "round(bathrooms, 1, 2)",
    "date '2015-02-30'",
    "date 'x' || zipcode",
    "not " * 900 + "waterfront",
    "(" * 1500 + "bedrooms" + ")" * 1500,
    "bedrooms" + " + bedrooms" * 500,
]


def found(sql: str, purpose: Purpose = Purpose.FEATURE, label: str | None = LABEL) -> list[Problem]:
    return problems(sql, columns=ROW, purpose=purpose, label=label)


@pytest.fixture(scope="module")
def houses(spark: SparkSession) -> DataFrame:
    schema = ", ".join(f"`{name}` {kind}" for name, (kind, _) in ROW.items())
    return spark.createDataFrame([tuple(value for _, value in ROW.values())], schema)


def plan(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().analyzed()


@pytest.mark.parametrize("sql", ATTACKS, ids=lambda sql: ascii(sql[:60]))
def test_what_is_not_one_plain_expression_of_one_row_is_refused(sql: str) -> None:
    assert found(sql)


@pytest.mark.parametrize("sql", HONEST_ROWS)
def test_what_is_allowed_runs_in_spark_and_reads_what_the_check_says(houses: DataFrame, sql: str) -> None:
    assert found(sql, Purpose.RULE) == []
    frame = houses.selectExpr(f"{sql}")
    assert len(frame.collect()) == 1
    analyzed = plan(frame)
    assert analyzed.deterministic()
    assert set(re.findall(r"([^,{}]+)#\d+", analyzed.references().toString())) >= set()
    read = analyzed.references().toSeq()
    assert {read.apply(i).name() for i in range(read.size())} == columns_of(sql)


@pytest.mark.parametrize("sql", lines(AGGREGATES))
def test_a_panel_value_may_aggregate_and_a_feature_or_rule_may_not(houses: DataFrame, sql: str) -> None:
    assert found(sql, Purpose.PANEL_VALUE) == []
    assert len(houses.groupBy("day").agg({"*": "count"}).collect()) == 1
    assert len(houses.selectExpr(sql).collect()) == 1
    assert found(sql, Purpose.RULE)
    assert found(sql)
