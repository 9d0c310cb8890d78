"""The contract on rows: what is accepted and with which value, what is rejected and for which reasons."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from regatta.config import UseCase, parse
from regatta.config.inputs import Feature
from regatta.contract import reading, rows
from regatta.contract.form import header_of
from regatta.contract.rules import warnings
from regatta.contract.trial import check_contract, check_inputs
from regatta.errors import FaultyInput
from regatta.lake.parquet import Columns
from regatta.lake.scan import records

TEMPLATE = """
use_case: houses
sources:
  sales: {{role: train, csv: {csv}}}
  listings: {{role: score}}
columns:
  id:    {{type: string, role: key}}
  price: {{type: number, role: label, required: true}}
  value: {column}
features: {{letters: "length(id)"}}
rules: {rules}
duplicates: {duplicates}
candidates: {{linear_regression: {{regParam: 0.1}}}}
"""

Judge = Callable[..., tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]]


def contract(
    column: str = "{type: number, role: feature}",
    csv: str = "{}",
    rules: str = "[]",
    duplicates: str = "reject",
) -> UseCase:
    text = TEMPLATE.format(column=column, csv=csv, rules=rules, duplicates=duplicates)
    return parse(text, "houses.yaml")


@pytest.fixture
def judged(spark: SparkSession, tmp_path: Path) -> Callable[..., tuple[DataFrame, DataFrame]]:
    """The accepted and the rejected rows of files, given as text by `<delivery>/<file>`, or of one text alone."""

    def judge(
        texts: dict[str, str] | str,
        use_case: UseCase | None = None,
        source: str = "sales",
    ) -> tuple[DataFrame, DataFrame]:
        use_case = use_case or contract()
        paths: dict[tuple[str, ...], list[str]] = {}
        for name, text in (texts if isinstance(texts, dict) else {"monday/a.csv": texts}).items():
            content = text.encode(use_case.sources[source].csv.encoding)
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            paths.setdefault(header_of(content, use_case.sources[source].csv), []).append(path.as_uri())
        parts = [reading.Part(source, Columns(header), tuple(several)) for header, several in paths.items()]
        found = rows.judged(spark, use_case, parts).localCheckpoint()
        accepted = found.where(F.col(rows.REJECTED).isNull()).drop(rows.REJECTED)
        return accepted, rows.rejected(found)

    return judge


@pytest.fixture
def fate(judged: Callable[..., tuple[DataFrame, DataFrame]]) -> Judge:
    """The value or the reasons of each row, in the order of the rows."""

    def tell(texts: dict[str, str] | str, use_case: UseCase | None = None, source: str = "sales") -> Any:
        accepted, rejected = judged(texts, use_case, source)
        kept = accepted.orderBy("delivery", "file", "row").collect()
        left = rejected.orderBy("delivery", "file", "row").collect()
        return (
            [(*row[:3], row["value"]) for row in kept],
            [(*row[:3], [tuple(reason) for reason in row.reasons]) for row in left],
        )

    return tell


def values(fate: Judge, *texts: str, column: str, csv: str = "{}", separator: str = ",") -> list[Any]:
    """What becomes of texts in one column: their values, or in a tuple the rule that they break."""
    lines = [separator.join((str(number), "1", f'"{text}"')) for number, text in enumerate(texts)]
    kept, left = fate(
        "\n".join([separator.join(("id", "price", "value")), *lines]), contract(column, csv=csv)
    )
    by_row = {row[2]: row[3] for row in kept}
    by_row |= {row[2]: tuple(rule for _, rule, _ in row[3]) for row in left}
    return [by_row[number + 1] for number in range(len(texts))]


def test_a_number_in_its_shortest_spelling_is_no_value_where_it_stands_for_none(fate: Judge) -> None:
    texts = ("-999", " -999", "-999.0", "999", "007", "-0", "9223372036854775807", "9223372036854775808")

    assert values(fate, *texts, column="{type: integer, role: feature, missing: ['-999']}") == [
        None,
        None,
        -999,
        999,
        7,
        0,
        9223372036854775807,
        ("is not a whole number",),
    ]


def test_a_number_is_a_plain_decimal_number_and_nothing_else(fate: Judge) -> None:
    good = ("1", "-1.50", "+.5", "7.", " 3 ", "2.5e3", "1E-2", "")
    assert values(fate, *good, column="{role: feature}") == [1, -1.5, 0.5, 7, 3, 2500, 0.01, None]
    bad = ("abc", "NaN", "Infinity", "-inf", "1d", "0x1p3", "1,5", "1 000", "--1", "=1+1", "١")
    assert set(values(fate, *bad, column="{role: feature}")) == {("is not a number",)}
    assert values(fate, "1e400", "-1e400", "1e308", column="{role: feature}") == [
        ("is too large for a number",),
        ("is too large for a number",),
        1e308,
    ]


def test_a_whole_number_may_have_a_fraction_of_zeros(fate: Judge) -> None:
    good = ("3", "3.0", "-3.", "9223372036854775807", "")
    column = "{type: integer, role: feature}"
    assert values(fate, *good, column=column) == [3, 3, -3, 9223372036854775807, None]
    bad = ("3.5", "9223372036854775808", "1e3", "three", ".0")
    assert set(values(fate, *bad, column=column)) == {("is not a whole number",)}


def test_decimal_comma_and_thousands_are_read_where_they_are_stated_and_only_in_place(fate: Judge) -> None:
    brazil = "{separator: ';', decimal: ',', thousands: '.'}"
    found = values(
        fate, "1.234,5", "1234,5", "-1.234.567", "1.23,4", "12.34", "1,2,3",
        column="{role: feature}", csv=brazil, separator=";",
    )  # fmt: skip
    assert found == [1234.5, 1234.5, -1234567, *[("is not a number",)] * 3]
    whole = values(fate, "1.234", "1.234,0", "12.34", column="{type: integer}", csv=brazil, separator=";")
    assert whole == [1234, 1234, ("is not a whole number",)]


def test_a_date_must_exist_and_look_as_stated(fate: Judge) -> None:
    stated = "{type: date, format: \"yyyyMMdd'T'HHmmss\"}"
    assert values(fate, "20150228T000000", "20150230T000000", "2015-02-28", column=stated) == [
        date(2015, 2, 28),
        ("is not a date like yyyyMMdd'T'HHmmss",),
        ("is not a date like yyyyMMdd'T'HHmmss",),
    ]
    good, *bad = values(
        fate,
        "2015-02-28",
        "2015-02-30",
        "2015-2-8",
        "2015",
        "2015-02-28Tx",
        "28/02/2015",
        column="{type: date}",
    )
    assert good == date(2015, 2, 28)
    assert set(bad) == {("is not a date like 2015-01-31",)}


def test_a_timestamp_is_iso_8601_in_utc_unless_it_says_otherwise(fate: Judge) -> None:
    texts = ("2015-02-28T10:30:00", "2015-02-28 10:30", "2015-02-28", "2015-02-28T10:30:00+01:00", "10:30")
    assert values(fate, *texts, column="{type: timestamp}") == [
        datetime(2015, 2, 28, 10, 30),
        datetime(2015, 2, 28, 10, 30),
        datetime(2015, 2, 28),
        datetime(2015, 2, 28, 9, 30),
        ("is not a timestamp like 2015-01-31T12:30:00",),
    ]


def test_yes_and_no_have_six_spellings(fate: Judge) -> None:
    texts = ("true", "Yes", "1", "FALSE", "no", "0", "t", "")
    found = values(fate, *texts, column="{type: boolean}")
    assert found == [True, True, True, False, False, False, ("is not true or false",), None]


def test_a_string_stays_as_delivered_and_a_formula_is_a_string(fate: Judge) -> None:
    texts = (" tea ", "=1+1", "a\nb", 'say ""hi""', "\\", "#", "é", "-", " NA ", "")
    found = values(fate, *texts, column="{type: string}", csv="{missing: ['-', NA]}")
    assert found == [" tea ", "=1+1", "a\nb", 'say "hi"', "\\", "#", "é", None, None, None]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "windows-1252"])
def test_text_is_read_in_the_stated_encoding(fate: Judge, encoding: str) -> None:
    texts = ("São João",) if encoding == "latin-1" else ("São João", "12 € – œuvre")
    assert values(fate, *texts, column="{type: string}", csv=f"{{encoding: {encoding}}}") == [*texts]


def test_every_rule_of_a_column_has_its_words(fate: Judge) -> None:
    bounds = "{role: feature, min: 1, below: 1500000}"
    assert values(fate, "0.5", "1", "1500000", column=bounds) == [
        ("must be at least 1",), 1, ("must be below 1500000",)
    ]  # fmt: skip
    bounds = "{type: integer, above: 0, max: 50}"
    assert values(fate, "0", "50", "51", column=bounds) == [("must be above 0",), 50, ("must be at most 50",)]
    codes = '{type: string, pattern: "[0-9]{5}", max_length: 5}'
    assert values(fate, "98178", "9817", "981789", column=codes) == [
        "98178",
        ("must match [0-9]{5}",),
        ("must match [0-9]{5}", "must have at most 5 characters"),
    ]
    assert values(fate, "0", "2", column="{type: integer, allowed: [0, 1]}") == [0, ("must be one of 0, 1",)]
    assert values(fate, "a", "b", column="{type: string, allowed: [a]}") == ["a", ("must be one of a",)]
    assert values(fate, "x", "", column="{type: string, required: true}") == ["x", ("is required",)]


def test_a_rejected_row_has_its_original_and_every_reason(
    judged: Callable[..., tuple[DataFrame, DataFrame]],
) -> None:
    use_case = contract("{type: integer, max: 9}")
    only = judged('id,value,price\n"7129300520",NaN,\n', use_case)[1].collect()[0]
    assert [tuple(reason) for reason in only.reasons] == [
        ("price", "is required", None),
        ("value", "is not a whole number", "NaN"),
    ]
    assert only.original == '{"id":"7129300520","value":"NaN","price":null}'
    assert (only.delivery, only.file, only.row) == ("monday", "a.csv", 1)


def test_a_row_with_too_few_or_too_many_values_is_rejected_for_that_alone(
    judged: Callable[..., tuple[DataFrame, DataFrame]],
) -> None:
    text = 'id,price,value\n1\n1,2\n1,2,3,4\n"x,""y""","2\n2","",""\n5" pipe,6" pipe\n1,2,3\n'
    accepted, rejected = judged(text)
    left = rejected.orderBy("row").collect()
    assert [(row.original, [tuple(reason) for reason in row.reasons]) for row in left] == [
        ("1", [(None, "has 1 value where 3 are due", None)]),
        ("1,2", [(None, "has 2 values where 3 are due", None)]),
        ("1,2,3,4", [(None, "has 4 values where 3 are due", None)]),
        ('"x,""y""","2\n2","",""', [(None, "has 4 values where 3 are due", None)]),
        ('5" pipe,6" pipe', [(None, "has 2 values where 3 are due", None)]),
    ]
    assert accepted.count() == 1


def test_a_header_that_is_repeated_inside_the_file_is_rejected_as_such(fate: Judge) -> None:
    kept, left = fate("id,price,value\n1,2,3\nid,price,value\n4,5,6\n")
    assert [row[2] for row in kept] == [1, 3]
    assert left == [("monday", "a.csv", 2, [(None, "repeats the header", None)])]


def test_columns_are_found_by_name_whatever_their_order(fate: Judge) -> None:
    texts = {"monday/a.csv": "id,price,value\n1,2,3\n", "monday/b.csv": "value,x,id,price\n30,y,10,20\n"}
    kept, left = fate(texts, contract(csv="{ignore: [x]}"))
    assert kept == [("monday", "a.csv", 1, 3.0), ("monday", "b.csv", 1, 30.0)]
    assert left == []


def test_the_second_row_with_a_key_is_rejected_even_in_another_file_and_the_first_good_one_stays(
    fate: Judge,
) -> None:
    texts = {
        "monday/a.csv": "id,price,value\n1,2,bad\n1,2,3\n2,2,4\n",
        "monday/b.csv": "id,price,value\n1,5,5\n",
        "sunday/a.csv": "id,price,value\n1,2,6\n",
    }
    kept, left = fate(texts)
    assert kept == [("monday", "a.csv", 2, 3.0), ("monday", "a.csv", 3, 4.0), ("sunday", "a.csv", 1, 6.0)]
    assert left == [
        ("monday", "a.csv", 1, [("value", "is not a number", "bad")]),
        ("monday", "b.csv", 1, [("id", "is a second row with this key", "1")]),
    ]


def test_duplicates_are_kept_where_the_use_case_says_so(fate: Judge) -> None:
    kept, left = fate("id,price,value\n1,2,3\n1,2,3\n", contract(duplicates="keep"))
    assert len(kept) == 2
    assert left == []


@pytest.mark.parametrize(
    "sql", ["price / value > 1", "price % value >= 0", "cast(price as bigint) div cast(value as bigint) >= 0"]
)
def test_a_rule_that_divides_by_zero_rejects_the_row_and_not_the_job(fate: Judge, sql: str) -> None:
    rules = f"[{{name: dear, sql: '{sql}'}}]"
    kept, left = fate("id,price,value\n1,4,2\n2,4,0\n3,4,\n", contract(rules=rules))
    assert [row[2] for row in kept] == [1, 3]  # a value that is missing breaks no rule
    assert left == [("monday", "a.csv", 2, [(None, "dear", None)])]


def test_a_rule_of_level_warn_rejects_nothing(fate: Judge) -> None:
    kept, left = fate(
        "id,price,value\n1,1,2\n", contract(rules="[{name: dear, sql: price > value, level: warn}]")
    )
    assert len(kept) == 1
    assert left == []


def test_of_four_hundred_rules_each_is_held(judged: Callable[..., tuple[DataFrame, DataFrame]]) -> None:
    rules = ", ".join(f"{{name: above {bound}, sql: value > {bound}}}" for bound in range(400))
    accepted, _ = judged("id,price,value\n1,1,400\n2,1,399\n", contract(rules=f"[{rules}]"))
    assert [row.id for row in accepted.collect()] == ["1"]


def test_in_one_projection_rows_have_the_fate_that_they_have_in_steps(
    judged: Callable[..., tuple[DataFrame, DataFrame]], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_case = contract(
        "{type: integer, min: 0, missing: [n/k]}", rules="[{name: dear, sql: price / value > 1}]"
    )
    lines = '1,9,3\n1,8,2\n,9,3\n2,,3\n3,x,3\n4," 9 ",3.0\n5,9,n/k\n6,9,-1\n6,8,-1\n7,9,0\n8,2,9\n9,1\nid,price,value\n'
    texts = {
        "monday/a.csv": f"id,price,value\n{lines}",
        "monday/b.csv": "value,id,price\n3,1,7\n3,10,7\n",
    }
    at_once = judged(texts, use_case)
    monkeypatch.setattr(rows, "FEW_CHECKS", 0)
    for one, other in zip(at_once, judged(texts, use_case), strict=True):
        expected = sorted(one.collect(), key=str)
        assert len(expected) > 3
        assert sorted(other.collect(), key=str) == expected


def test_a_label_that_is_required_is_due_in_training_and_not_in_what_is_to_be_scored(fate: Judge) -> None:
    assert fate("id,price,value\n1,,2\n")[1] == [("monday", "a.csv", 1, [("price", "is required", None)])]
    assert fate("id,value\n1,2\n", source="listings")[0] == [("monday", "a.csv", 1, 2.0)]


def test_rows_are_numbered_in_their_file_however_many_files_there_are(
    judged: Callable[..., tuple[DataFrame, DataFrame]],
) -> None:
    texts = {
        f"day{day}/{name}.csv": "id,price,value\n"
        + "".join(f"{name}{row},1,{row}\n\n" for row in range(1, day + 2))
        for day in range(4)
        for name in "abc"
    }
    found, _ = judged(texts)
    assert found.count() == 3 * (1 + 2 + 3 + 4)
    assert found.where("row != value").count() == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_that_is_longer_than_any_buffer_is_read_as_python_reads_it(
    judged: Callable[..., tuple[DataFrame, DataFrame]], end: str
) -> None:
    use_case = contract("{type: string}", csv="{encoding: latin-1}")
    long = "long é " * 1_000_000
    text = end.join(["id,price,value", "1,2,short", f'2,3,"{long}"', f"3,{long}", '4,5,"a\nb"', ""])
    accepted, rejected = judged(text, use_case)
    delivered = io.BytesIO(text.encode("latin-1"))
    python = [row for row in records(delivered, use_case.sources["sales"].csv) if len(row) == 3][1:]
    kept = accepted.orderBy("row").collect()
    assert [(row.id, row.value) for row in kept] == [(row[0], row[2]) for row in python]
    only = rejected.collect()[0]
    assert (only.row, only.original) == (3, f"3,{long}")


def test_what_spark_refuses_in_a_contract_is_said_before_any_row_is_read(spark: SparkSession) -> None:
    use_case = contract(
        '{type: string, pattern: "[0-9"}',
        rules="[{name: odd, sql: year(price) > 2000}, {name: fine, sql: price > 1}]",
    )
    with pytest.raises(FaultyInput) as error:
        check_contract(reading.text_session(spark), use_case)
    first, second = error.value.faults
    assert first.subject == "rules.odd"
    assert 'Cannot resolve "year(price)" due to data type mismatch' in first.fact
    assert second.subject == "columns.value.pattern"
    assert "Unclosed character class" in second.fact
    dated = contract('{type: date, format: "dd{MM}yyyy"}')
    with pytest.raises(FaultyInput, match="columns.value.format: Spark refuses it: .*'dd{MM}yyyy'"):
        check_contract(reading.text_session(spark), dated)


def test_numbers_with_units_are_typed_by_an_expression_over_their_own_text(fate: Judge) -> None:
    middle = (
        "{role: feature, sql: \"(try_cast(split_part(value, ' - ', 1) as double)"
        " + try_cast(split_part(value, ' - ', -1) as double)) / 2\"}"
    )
    assert values(fate, "34.5 - 40", "34.5", "many", "", column=middle) == [
        37.25,
        34.5,
        ("is not a number",),
        None,
    ]
    unit = "{type: integer, role: feature, sql: \"replace(value, ' km', '')\"}"
    found = values(
        fate,
        "1.200 km",
        "900",
        "900 mi",
        column=unit,
        csv="{separator: ';', decimal: ',', thousands: '.'}",
        separator=";",
    )
    assert found == [1200, 900, ("is not a whole number",)]
    dated = "{type: date, sql: \"try_to_date(value, 'yyyyMMdd')\"}"
    assert values(fate, "20150228", "x", column=dated) == [
        date(2015, 2, 28),
        ("is not a date like 2015-01-31",),
    ]


def test_a_column_that_no_file_has_is_made_of_the_texts_of_others(fate: Judge) -> None:
    months = contract("{type: date, required: true, sql: \"concat(id, '-01')\"}")
    accepted, rejected = fate("id,price\n2015-03,1\n2015-13,2\n,3\n", months)
    assert accepted == [("monday", "a.csv", 1, date(2015, 3, 1))]
    assert [row[3] for row in rejected] == [
        [("value", "is not a date like 2015-01-31", "2015-13-01")],
        [("id", "is required", None), ("value", "is required", None)],
    ]


def test_several_patterns_are_tried_in_turn_and_days_have_bounds(fate: Judge) -> None:
    several = "{type: date, format: [d/M/yyyy, yyyy-MM-dd], min: 2015-01-01, below: 2016-01-01}"
    assert values(fate, "3/2/2015", "03/02/2015", "2015-02-03", "2015/02/03", "31/12/2014", "1/1/2016", column=several) == [
        *[date(2015, 2, 3)] * 3,
        ("is not a date like d/M/yyyy or yyyy-MM-dd",),
        ("must be at least 2015-01-01",),
        ("must be below 2016-01-01",),
    ]  # fmt: skip
    old = "is before the year 1583 (set min to accept it)"
    assert values(fate, "0215-02-03", column="{type: date}") == [(old,)]
    assert values(fate, "0215-02-03", column="{type: date, min: 0001-01-01}") == [date(215, 2, 3)]


def test_a_column_may_have_missing_texts_of_its_own(fate: Judge) -> None:
    column = '{role: feature, missing: ["0", n/k]}'
    assert values(fate, "0", "n/k", "0.0", column=column) == [None, None, 0.0]


def test_a_unique_column_keeps_the_first_row_of_each_value(fate: Judge) -> None:
    kept, left = fate(
        "id,price,value\n1,2,a\n2,2,a\n3,2,\n4,2,\n1,2,a\n", contract("{type: string, unique: true}")
    )
    assert [row[2] for row in kept] == [1, 3, 4]
    assert [row[3] for row in left] == [
        [("value", "is a second row with this value", "a")],
        [("id", "is a second row with this key", "1"), ("value", "is a second row with this value", "a")],
    ]


def test_a_bound_of_level_warn_rejects_nothing(fate: Judge) -> None:
    warned = "{type: integer, max: 9, level: warn}"
    assert values(fate, "10", "x", column=warned) == [10, ("is not a whole number",)]
    (check,) = warnings(contract(warned))
    assert check.label == "value: must be at most 9"


def test_comments_quotes_that_mean_nothing_and_files_without_a_header_are_read(fate: Judge) -> None:
    text = '# a comment, of two\n1,2,5" pipe\n#2,2,x\n3,2,"a\n'
    kept, left = fate(
        text, contract("{type: string}", csv='{comment: "#", quote: null, names: [id, price, value]}')
    )
    assert [row[2:] for row in kept] == [(1, '5" pipe'), (2, '"a')]
    assert left == []


def test_features_and_filters_that_spark_refuses_are_said_before_a_training(spark: SparkSession) -> None:
    when = contract("{type: date}").model_copy(
        update={
            "features": {
                "when": Feature(sql="value"),
                "odd": Feature(sql="price + value"),
                "good": Feature(sql="price"),
            },
            "filters": ("price",),
        }
    )
    with pytest.raises(FaultyInput) as error:
        check_inputs(reading.text_session(spark), when)
    assert [fault.subject for fault in error.value.faults] == ["filters[0]", "features.when", "features.odd"]
    assert "it gives a date, and a number is due (or type: category)" in str(error.value)
