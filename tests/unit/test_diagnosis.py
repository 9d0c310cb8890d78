"""`regatta doctor USE_CASE`: what a look at a few rows tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from regatta.config import UseCase, parse
from regatta.diagnosis.examine import examine
from regatta.diagnosis.rows import Looked

HOUSES = """
use_case: houses
sources: {sales: {role: train}}
columns:
  id:    {type: string, role: key}
  area:  {role: feature}
  town:  {type: string, role: category}
  price: {role: label}
features: {log_area: "ln(area)"}
candidates: {random_forest: {}, linear_regression: {}}
"""
ROWS = 200


def houses(more: str = "") -> UseCase:
    return parse(HOUSES + more, "houses.yaml")


def seen(
    use_case: UseCase | None = None, of: int = 5000, reasons: Any = None, **values: Sequence[Any]
) -> list[str]:
    """What is said of two hundred houses, some columns of which are given."""
    columns = {
        "id": [str(row) for row in range(ROWS)],
        "area": [float((row * 37) % 101) for row in range(ROWS)],
        "town": [f"town {row % 7}" for row in range(ROWS)],
        "price": [float((row * 53) % 97) + row % 5 for row in range(ROWS)],
        "log_area": [math.log(1 + (row * 37) % 101) for row in range(ROWS)],
        **values,
    }
    rejected = sum(count for count, _ in (reasons or {}).values())
    looked = Looked(ROWS + rejected, of, reasons or {}, columns, [True] * ROWS)
    return [str(finding) for finding in examine(use_case or houses(), looked)]


def test_a_sound_table_has_nothing_to_be_said_of() -> None:
    assert seen() == []


def test_rows_that_will_be_rejected_are_counted_with_an_example_and_a_way_out() -> None:
    reasons = {
        ("area", "is not a number"): (3, "1,200"),
        ("town", "is required"): (2, ""),
        ("price", "is not a number"): (1, "NA"),
        ("area", "is not a date like 2015-01-31"): (1, "28/02/2015"),
    }
    assert seen(reasons=reasons) == [
        "note  area: is not a number, as '1,200': 3 of 207 rows are rejected for it\n"
        "      csv.decimal: ',' reads 3,5, and csv.thousands: ',' reads 1,200",
        "note  town: is required: 2 of 207 rows are rejected for it",
        "note  price: is not a number, as 'NA': 1 of 207 rows is rejected for it\n"
        "      if it means that there is no value, add it: csv: {missing: ['', 'NA']}",
        "note  area: is not a date like 2015-01-31, as '28/02/2015': 1 of 207 rows is rejected for it\n"
        "      say how it is written, as format: dd/MM/yyyy",
    ]


def test_more_rejected_rows_than_the_limit_are_wrong() -> None:
    found = seen(reasons={("area", "is not a number"): (300, "big")})
    assert found[1] == (
        "WRONG max_rejected: 300 of 500 rows are rejected: more than 50% refuse the delivery\n"
        "      mend the columns above"
    )


def test_keys_that_are_not_unique_are_named() -> None:
    assert seen(id=["1", "1", *map(str, range(2, ROWS))]) == [
        "note  key: id is not unique: 1 of 200 rows have the key of an earlier one, as 1; they are rejected\n"
        "      make another column part of the key (role: [key, time], say), or say duplicates: keep"
    ]


def test_labels_that_are_missing_equal_or_without_a_logarithm_are_said() -> None:
    prices = [float((row * 53) % 97) + 1 for row in range(ROWS)]
    assert seen(price=[None, *prices[1:]]) == [
        "note  price: 1 of 200 rows have no label: they are not learnt from"
    ]
    assert seen(price=[None] * ROWS)[0] == "WRONG price: no row has a label\n      is it the right column?"
    assert seen(price=[5.0] * ROWS)[0] == "WRONG price: is 5.0 in every row\n      there is nothing to learn"
    (wrong,) = seen(houses("label_transform: log\n"), price=[0.0, *prices[1:]])
    assert wrong.startswith("WRONG price: is 0 in a row, and label_transform: log needs labels above 0")


def test_empty_constant_and_half_empty_inputs_are_said() -> None:
    assert seen(area=[None] * ROWS)[0] == (
        "WRONG area: has no value in any row\n      take it out of the inputs, or fill it: nulls: constant"
    )
    assert seen(town=["Alki"] * ROWS) == [
        "note  town: is 'Alki' in every row that has a value: no model learns from it"
    ]
    half = [None] * 120 + [float((row * 37) % 101) for row in range(80)]
    assert seen(area=half) == ["note  area: 120 of 200 rows have no value"]


def test_a_category_of_too_many_values_is_said_with_the_encoding_that_takes_it() -> None:
    many = [f"street {row % 150}" for row in range(ROWS)]
    (wrong,) = seen(houses("max_categories: 100\n"), town=many)
    assert wrong == (
        "WRONG town: has 150 categories in 200 rows, more than max_categories (100)\n"
        "      say encoding: target under the families, or take it out of the inputs"
    )
    (note,) = seen(town=many)
    assert note.startswith("note  town: has 150 categories in 200 rows: it names rows, and not kinds")


def test_an_input_that_is_almost_the_label_is_suspected_whatever_its_form() -> None:
    price = [float((row * 53) % 97) + 1 for row in range(ROWS)]
    linear = [2 * value + (row % 3) / 10 for row, value in enumerate(price)]
    (note,) = seen(price=price, area=linear)
    assert note == (
        "note  area: tells the label almost by itself (correlation 1.000 with price): is it a leak?\n"
        "      if it is not known when a prediction is due, make it role: info"
    )
    (note,) = seen(price=price, log_area=[math.exp(value / 9) for value in price])
    assert note.startswith(
        "note  log_area: tells the label almost by itself (rank correlation 1.000 with price)"
    )
    banded = [f"band {value // 10}" for value in price]
    steps = [10.0 * (value // 10) + (row % 2) / 10 for row, value in enumerate(price)]
    (note,) = seen(price=steps, town=banded)
    assert note.startswith("note  town: tells the label almost by itself (R2 1.000 with price)")


def test_a_small_table_is_told_that_the_gate_will_refuse_it() -> None:
    (wrong,) = seen(of=200)
    assert wrong == (
        "WRONG gate.min_rows: about 40 rows are held out of this delivery, of 100 asked for\n"
        "      for a small table say gate: {min_rows: 20}, or promotion is refused"
    )
