from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.errors import ParseException
from pyspark.sql import DataFrame, SparkSession

from regatta.config.expressions import Problem, Purpose, columns_of, problems
from regatta.config.functions import FUNCTIONS

ROW = {
    "price": "538000d",
    "sqft_living": "2570",
    "bedrooms": "3",
    "bathrooms": "2.25d",
    "waterfront": "false",
    "zipcode": "'98125'",
    "listed": "'20141209T143000'",
    "day": "date '2014-12-09'",
    "sold_at": "timestamp '2014-12-09 14:30:00'",
    "White Marble": "1",
    "Año": "1951",
    "1stFlrSF": "856d",
    "date": "date '2014-12-09'",
}
LABEL = "price"

HONEST = [
    "sqft_living",
    "bedrooms + bathrooms * 2 - -1",
    "sqft_living / 7",
    "sqft_living div 3 % 7",
    "sqft_living*-1",
    "(bedrooms + bathrooms) / nullif(sqft_living, 0)",
    "`White Marble` * 1.5e-3",
    "2014 - `Año`",
    "`1stFlrSF` + `sqft_living`",
    ".5 * bathrooms + 1. + 1L + 2.5D + 1BD",
    "date",
    "case when bedrooms > 3 then 'big' when bedrooms = 0 then null else 'small' end",
    "case bedrooms when 1 then 'one' else 'more' end",
    "if(waterfront, 1, 0)",
    "cast(waterfront as int) + try_cast(zipcode as double)",
    "cast(bathrooms as decimal(10, 2))",
    "CAST(zipcode AS BIGINT)",
    "bedrooms >= 2 AND bathrooms < 4 OR NOT waterfront",
    "bedrooms == 3 or bedrooms <> 4 and bedrooms != 5 or bedrooms <=> null",
    "!waterfront",
    "bedrooms between 1 and 5",
    "bedrooms not in (0, 33)",
    "zipcode in ('98125', '98103')",
    r"zipcode like '98%' and zipcode not like '97\_%'",
    "zipcode ilike 'a!%%' escape '!'",
    "zipcode rlike '^98[0-9]{3}$'",
    "zipcode like 'today' or zipcode like 'now' and waterfront",
    "zipcode = 'O''Brien'",
    r"zipcode = 'it\'s ü → 你好'",
    "waterfront is true and price is not null and bathrooms is null",
    "date '2015-01-31' > day and sold_at < timestamp '2015-01-31 12:30:00'",
    "day < '2015-01-31'",
    r"regexp_extract(zipcode, '(\\d+)', 1)",
    "nvl2(bathrooms, bathrooms, 0) + coalesce(bathrooms, bedrooms, 0)",
    "greatest(bedrooms, bathrooms) - least(bedrooms, bathrooms, 1)",
    "ifnull(bathrooms, 0) + nvl(bathrooms, 0) + nanvl(bathrooms, 0)",
    "isnull(bathrooms) or isnotnull(bathrooms) or isnan(bathrooms)",
    "pi() * e() * abs(bathrooms) * sign(bathrooms) * signum(bathrooms) * rint(bathrooms)",
    "sqrt(sqft_living) + cbrt(sqft_living) + exp(bathrooms) + expm1(bathrooms)",
    "ln(price) + log10(price) + log1p(price) + log2(price) + log(price) + log(2, price)",
    "sin(radians(bathrooms)) + cos(bathrooms) + tan(bathrooms) + degrees(atan(bathrooms))",
    "asin(0.5) + acos(bathrooms / 10) + sinh(bathrooms) + cosh(bathrooms) + tanh(bathrooms)",
    "ceil(bathrooms) + ceiling(bathrooms) + floor(bathrooms) + round(bathrooms) + round(bathrooms, 1)",
    "bround(bathrooms, 1) + ceil(bathrooms, 1) + floor(bathrooms, 1)",
    "mod(bedrooms, 2) + pmod(bedrooms, 2) + pow(bedrooms, 2) + power(bedrooms, 2)",
    "atan2(bathrooms, bedrooms) + hypot(bathrooms, bedrooms) + width_bucket(price, 0, 1000000, 10)",
    "try_add(bedrooms, 1) + try_subtract(bedrooms, 1) + try_multiply(bedrooms, 2)",
    "try_divide(price, bedrooms - 3)",
    "try_mod(bedrooms, 0)",
    "boolean(bedrooms) or tinyint(bedrooms) = smallint(bedrooms)",
    "int(zipcode) + bigint(zipcode) + float(zipcode) + double(zipcode) + decimal(zipcode)",
    "string(bedrooms)",
    "datediff(date(day), timestamp('2015-01-31'))",
    "year(day) * 100 + month(day) + quarter(day) + weekofyear(day) + dayofyear(day) + weekday(day)",
    "day(day) + dayofmonth(day) + dayofweek(day) + hour(sold_at) + minute(sold_at) + second(sold_at)",
    "date_diff(last_day(day), date_from_unix_date(unix_date(day))) + unix_seconds(sold_at)",
    "date_add(date_sub(day, 1), bedrooms)",
    "months_between(add_months(day, 3), day) + months_between(day, sold_at, false)",
    "next_day(day, 'MONDAY')",
    "make_date(2014, bedrooms, 1)",
    "datediff(to_date(left(listed, 8), 'yyyyMMdd'), to_date('2014-01-01'))",
    r"to_timestamp(listed, 'yyyyMMdd\'T\'HHmmss')",
    "try_to_timestamp(zipcode, 'yyyyMMdd')",
    "try_to_date('2015-02-30') > day",
    "try_to_date(zipcode, 'yyyyMMdd')",
    "unix_timestamp(sold_at) - unix_timestamp(left(listed, 8), 'yyyyMMdd')",
    "date_trunc('MONTH', sold_at)",
    "trunc(day, 'MM')",
    "date_format(day, 'yyyy-MM')",
    "from_unixtime(bedrooms, 'yyyy')",
    "concat(dayname(day), monthname(day))",
    "upper(lower(ucase(lcase(initcap(zipcode)))))",
    "reverse(trim(ltrim(rtrim(btrim(zipcode)))))",
    "btrim(zipcode, '9')",
    "soundex(zipcode)",
    "length(zipcode) + char_length(zipcode) + character_length(zipcode) + ascii(zipcode)",
    "instr(zipcode, '1') + locate('1', zipcode) + locate('1', zipcode, 2) + levenshtein(zipcode, '98')",
    "contains(zipcode, '1') or startswith(zipcode, '9') or endswith(zipcode, '5')",
    "concat_ws('-', left(zipcode, 2), right(zipcode, 3), substring(zipcode, 2), substr(zipcode, 1, 3))",
    "lpad(zipcode, 6, '0') > rpad(zipcode, 6)",
    "replace(translate(zipcode, '9', '8'), '1', '2')",
    "split_part(zipcode, '1', 1)",
    "regexp_replace(zipcode, '[^0-9]', '')",
    "regexp_like(zipcode, '^98') or regexp_count(zipcode, '9') > 1 or regexp_substr(zipcode, '1') = '1'",
    "regexp_extract(zipcode, '([0-9])')",
]
AGGREGATES = [
    "count(*)",
    "sum(bedrooms * price)",
    "count(distinct zipcode)",
    "count(distinct zipcode, bedrooms)",
    "avg(price) + mean(price) + min(price) + max(price) + median(price) + percentile(price, 0.9)",
    "stddev(price) + stddev_pop(price) + stddev_samp(price) + variance(price) + var_pop(price) + var_samp(price)",
    "count_if(waterfront) + count(price) + sum(if(waterfront, 1, 0))",
    "bool_and(waterfront) or bool_or(waterfront)",
]


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
    "bedrooms, bathrooms",
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
    "bedrooms − 1",  # a minus that is none
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
    "round(bathrooms, )",
    "zipcode in bathrooms",
    "20.s - bedrooms",
    "4 - not waterfront",
    "4 like not waterfront",
    "floor(bathrooms, bedrooms + 1",
    "cast(bathrooms as decimal(1 0)",
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
    """One row that lies in the plan itself, so that Spark answers without a job."""
    values = ", ".join(value for value in ROW.values())
    return spark.sql(f"select * from values ({values}) as houses ({', '.join(f'`{name}`' for name in ROW)})")


def analyzed(frame: DataFrame) -> Any:
    """What Spark's analyzer makes of a projection: its deterministic(), references() and so on."""
    return frame._jdf.queryExecution().analyzed()


def listed(seq: Any) -> list[Any]:
    return [seq.apply(index) for index in range(seq.size())]


@pytest.mark.parametrize("sql", ATTACKS, ids=lambda sql: ascii(sql[:60]))
def test_what_is_not_one_plain_expression_of_one_row_is_refused(sql: str) -> None:
    assert found(sql)


@pytest.mark.parametrize(
    ("sql", "fact", "hint"),
    [
        ("sqft_livin + 1", "no such column: sqft_livin", "did you mean sqft_living?"),
        ("Bedrooms", "no such column: Bedrooms", "did you mean bedrooms?"),
        ("Marble + 1", "no such column: Marble", "did you mean `White Marble`?"),
        ("`White Marbel`", "no such column: White Marbel", "did you mean `White Marble`?"),
        ("Año", "holds ñ (U+00F1) outside of quotes", "put a column's name in `backticks`"),
        ("squrt(bedrooms)", "no function of this name may be called: squrt", "did you mean sqrt?"),
        (
            "`java_method`('a', 'b')",
            "calls a function by a name in backticks",
            "write its name without them",
        ),
        (
            "log(PRICE)",
            "reads the label price",
            "it is what is to be predicted: rows to be scored do not have it",
        ),
        (
            "max(bathrooms)",
            "max is about many rows, and this expression about one",
            "for the largest of several columns write greatest(a, b)",
        ),
        ("pow(bedrooms)", "pow takes 2 arguments, and not 1", ""),
        ("bedrooms ^ 2", "^ is no operator here", "for a power write pow(a, b)"),
        ("cast(bedrooms as integr)", "cannot cast to integr", "did you mean integer?"),
        ("(bedrooms", "a parenthesis is never closed", ""),
        ("bedrooms +", "is not an expression of Spark SQL: something is wrong near +", ""),
    ],
)
def test_a_problem_says_what_to_write_instead(sql: str, fact: str, hint: str) -> None:
    assert found(sql) == [Problem(fact, hint)]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert [problem.fact for problem in found("uuid() + sqft_livin + price")] == [
        "uuid gives another answer on another run",
        "no such column: sqft_livin",
        "reads the label price",
    ]


def test_a_rule_may_read_the_label_and_a_feature_may_not() -> None:
    assert found("price > 0", Purpose.RULE) == []
    assert found("price > 0", Purpose.FEATURE)


@pytest.mark.parametrize(
    "sql", ["sqft_living / bedrooms", "1 % bedrooms", "1 div (bedrooms - 1)", "mod(1, bedrooms)", "1 / 0"]
)
def test_a_feature_may_not_end_the_jobs_of_others_by_a_divisor_of_0(sql: str) -> None:
    (problem,) = problems(sql, columns=ROW, purpose=Purpose.FEATURE, label=LABEL)

    assert "one row where that is 0 would end every job" in problem.fact
    assert "try_divide" in problem.hint
    assert problems(sql, columns=ROW, purpose=Purpose.RULE) == []


def test_an_aggregate_of_an_aggregate_is_refused() -> None:
    assert found("sum(avg(price))", Purpose.PANEL_VALUE) == [
        Problem("avg stands inside of another aggregate")
    ]


@pytest.mark.parametrize(
    "name", ["current_date", "end", "interval", "select", "case", "date_trunc", "collate"]
)
def test_a_column_may_have_a_name_of_the_grammar_if_it_stands_in_backticks(name: str) -> None:
    assert problems(f"`{name}` + 1", columns=[name], purpose=Purpose.FEATURE) == []
    assert columns_of(f"`{name}` + 1") == {name}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("current_date", ["current_date"]),
        ("a collate b", ["a", "b", "collate"]),
        ("a at time zone b", ["a", "at", "time", "zone", "b"]),
        ("interval a day", ["interval", "a", "day"]),
        ("`date`('2015-01-31')", ["date"]),
        ("a - not b", ["a", "b", "not"]),
        ("a between 1 and not b", ["a", "b", "not"]),
        ("a and like(a, b)", ["a", "b", "like"]),
    ],
)
def test_columns_named_like_the_grammar_do_not_let_it_in(sql: str, columns: list[str]) -> None:
    assert problems(sql, columns=columns, purpose=Purpose.FEATURE)


def test_columns_of_an_expression_that_would_not_pass_are_not_guessed() -> None:
    with pytest.raises(ValueError, match="holds a semicolon"):
        columns_of("a; b")
    with pytest.raises(ValueError, match="uuid gives another answer"):
        columns_of("a + uuid()")


def test_the_texts_that_are_refused_are_more_than_texts_to_spark(houses: DataFrame) -> None:
    home, days = houses.selectExpr("'${env:HOME}'", "datediff('today', day)").collect()[0]
    assert home == os.environ["HOME"]
    assert days > 4_000  # from 2014 to the day of this run


@pytest.mark.parametrize("sql", HONEST)
def test_what_is_allowed_runs_in_spark_and_reads_what_the_check_says(houses: DataFrame, sql: str) -> None:
    assert found(sql, Purpose.RULE) == []
    frame = houses.selectExpr(sql)
    assert len(frame.collect()) == 1
    plan = analyzed(frame)
    assert plan.deterministic()
    assert {attribute.name() for attribute in listed(plan.references().toSeq())} == columns_of(sql)


@pytest.mark.parametrize("sql", AGGREGATES)
def test_a_panel_value_may_aggregate_and_a_feature_or_rule_may_not(houses: DataFrame, sql: str) -> None:
    assert found(sql, Purpose.PANEL_VALUE) == []
    assert analyzed(houses.selectExpr(sql)).deterministic()
    assert found(sql, Purpose.RULE)
    assert found(sql)


def test_every_function_of_the_list_is_called_by_an_honest_expression() -> None:
    called = set(re.findall(r"([a-z0-9_]+)\(", " ".join([*HONEST, *AGGREGATES])))
    assert set(FUNCTIONS) <= called


def test_every_function_is_one_that_spark_itself_has(spark: SparkSession) -> None:
    known = {row.function for row in spark.sql("show system functions").collect()}
    assert set(FUNCTIONS) - {"if"} <= known


# Mostly honest, with one or two pieces cut out, doubled or slipped in.
PIECES = r"""
    ' '' \ \' ` " -- /* */ ( ) , ; . :: -> r' x' * - 0 price uuid() rand() 'today' as day date timestamp select
    over( distinct interval like in in( between and cast( concat(
"""


@st.composite
def tampered(draw: st.DrawFn) -> str:
    sql = draw(st.sampled_from(HONEST))
    for _ in range(draw(st.integers(1, 2))):
        begin = draw(st.integers(0, len(sql)))
        end = min(len(sql), begin + draw(st.integers(0, 4)))
        blank = draw(st.sampled_from(["", " "]))
        sql = sql[:begin] + blank + draw(st.sampled_from(PIECES.split())) + blank + sql[end:]
    return sql


# What Spark's parser makes of plain expressions. Some words, like between, are functions to it.
PLAIN = """
    Add And Between CaseWhen Cast Divide EqualNullSafe EqualTo GreaterThan GreaterThanOrEqual ILike In IntegralDivide
    IsNotNull IsNull LessThan LessThanOrEqual Like Literal Multiply Not Or RLike Remainder Subtract UnaryMinus
    UnaryPositive UnresolvedAttribute UnresolvedFunction UnresolvedStar
"""
WORDS_AS_FUNCTIONS = "between and or not like ilike rlike regexp in case when div"


@settings(max_examples=3000, deadline=None, derandomize=True, database=None)
@given(sql=tampered())
def test_what_passes_is_parsed_by_spark_as_it_was_read_here(spark: SparkSession, sql: str) -> None:
    if problems(sql, columns=ROW, purpose=Purpose.PANEL_VALUE):
        return
    try:
        tree = spark._jsparkSession.sessionState().sqlParser().parseExpression(sql)
    except ParseException:
        return  # refused by both is refused
    nodes = list(every(tree))
    assert {kind(node) for node in nodes} <= set(PLAIN.split())
    read = {".".join(listed(node.nameParts())) for node in nodes if kind(node) == "UnresolvedAttribute"}
    assert read & set(ROW) == columns_of(sql)
    called = {".".join(listed(node.nameParts())) for node in nodes if kind(node) == "UnresolvedFunction"}
    assert {name.lower() for name in called} <= {*FUNCTIONS, *WORDS_AS_FUNCTIONS.split()}


def kind(node: Any) -> str:
    return str(node.getClass().getSimpleName())


def every(tree: Any) -> Iterator[Any]:
    yield tree
    for child in listed(tree.children()):
        yield from every(child)
