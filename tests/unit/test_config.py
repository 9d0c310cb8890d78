"""Faults of a use-case file: all at once, each with its line and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from regatta.config import load, parse
from regatta.config.model import UseCase
from regatta.errors import FaultyInput, InputError

CONF = Path(__file__).parents[2] / "conf"

SMALL = """\
use_case: tea
sources:
  sales: {role: train}
columns:
  id: {type: string, role: key}
  area: {type: number, role: feature}
  town: {type: string, role: category}
  price: {type: number, role: label}
candidates:
  linear_regression: {regParam: [0.1, 1.0]}
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(FaultyInput) as raised:
        parse(text, "tea.yaml")
    return [str(fault) for fault in raised.value.faults]


def test_a_small_file_is_enough_and_gets_its_defaults():
    use_case = parse(SMALL, "tea.yaml")

    assert use_case.key == ("id",)
    assert use_case.group == ("id",)
    assert use_case.encoding("linear_regression") == "one_hot"
    assert use_case.rejects_duplicates
    assert use_case.columns["id"].must_be_there


def test_a_training_that_was_recorded_reads_back_as_the_same_use_case():
    for path in CONF.glob("*.yaml"):
        use_case = load(path)
        assert UseCase.model_validate_json(use_case.model_dump_json()) == use_case


def test_names_with_blanks_and_accents_are_names():
    text = SMALL.replace("area:", "Área útil:").replace("town:", "White Marble:")

    assert parse(text, "tea.yaml").numbers == ("Área útil",)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("use_case:", "usecase:", "tea.yaml:1: usecase: no such key\n  did you mean use_case?"),
        ("role: train", "role: trian", "tea.yaml:3: sources.sales.role: 'trian' is not one of train or score\n  did you mean train?"),
        ("role: train", "rol: train", "tea.yaml:3: sources.sales.rol: no such key\n  did you mean role?"),
        ("number, role: feature", "numbr, role: feature", "tea.yaml:6: columns.area.type: 'numbr' is not one of string, integer, number, boolean, date or timestamp\n  did you mean number?"),
        ("number, role: feature", "string, role: feature", "tea.yaml:6: columns.area.type: a string cannot be a feature\n  use role category, or a feature computed from it"),
        ("number, role: feature", "number, role: feature, min: 5, max: 2", "tea.yaml:6: columns.area: no value is both at least 5 and at most 2"),
        ("number, role: feature", "number, role: feature, pattern: x", "tea.yaml:6: columns.area.pattern: a number has no pattern\n  it belongs to strings"),
        ("string, role: category", "string, role: category, nulls: median", "tea.yaml:7: columns.town.nulls: a string has no median\n  use most_frequent or constant"),
        ("string, role: category", "string, role: category, nulls: constant", "tea.yaml:7: columns.town.fill: fill and nulls: constant go together\n  give both or neither"),
        ("town:", "Row:", "tea.yaml:7: columns.Row: regatta has a column of this name of its own\n  choose another, and map the file's to it under csv.header"),
        ("town:", "AREA:", "tea.yaml:7: columns.AREA: differs from area in capitals alone, which Spark does not tell apart"),
        ("candidates:", "features: {Area: area * 2}\ncandidates:", "tea.yaml:9: features.Area: differs from area in capitals alone, which Spark does not tell apart"),
        ("candidates:", "features: {area: area * 2}\ncandidates:", "tea.yaml:9: features.area: a column has this name already\n  give the feature a name of its own"),
        ("role: label", "role: info", "tea.yaml:1: exactly one column must have the role label"),
        ("role: label}", "role: [label, feature]}", "tea.yaml:8: columns.price.role: the label cannot also be feature"),
        ("  linear_regression: {regParam: [0.1, 1.0]}", "  {}", "tea.yaml:9: candidates: no family is in the race\n  name at least one, such as linear_regression"),
        ("regParam: [0.1, 1.0]", "regParam: []", "tea.yaml:10: candidates.linear_regression.regParam: an empty list leaves nothing to try"),
        ("regParam: [0.1, 1.0]", "regParam: [0.1, 0.1]", "tea.yaml:10: candidates.linear_regression.regParam: a value stands twice in the list"),
        ("regParam: [0.1, 1.0]", "regParm: 0.1", "tea.yaml:10: candidates.linear_regression.regParm: MLlib's LinearRegression has no such parameter\n  did you mean regParam?"),
        ("linear_regression:", "lightgbm:", "tea.yaml:10: candidates.lightgbm: is not one of the names known here\n  known are random_forest, gbt or linear_regression"),
    ],
)  # fmt: skip
def test_a_fault_is_a_place_a_fact_and_a_way_out(old: str, new: str, fault: str):
    assert fault in faults_of(SMALL.replace(old, new))


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("features: {ratio: are * 2}", "tea.yaml:11: features.ratio: no such column: are\n  did you mean area?"),
        ("features: {area: area * 2}", "tea.yaml:11: features.area: a column has this name already\n  give the feature a name of its own"),
        ("outliers: {columns: [prise]}", "tea.yaml:11: outliers.columns: there is no column prise\n  did you mean price?"),
        ("outliers: {columns: [town]}", "tea.yaml:11: outliers.columns: town is a string, not a number"),
        ("split: {group: price}", "tea.yaml:11: split.group: the label may not decide where a row stands"),
        ("split: {folds: -3}", "tea.yaml:11: split.folds: should be greater than or equal to 2, and not -3"),
        ("split: {holdout: 2.0}", "tea.yaml:11: split.holdout: should be less than 1, and not 2.0"),
        ("metric: rsme", "tea.yaml:11: metric: 'rsme' is not one of rmse, mse, mae, mape, r2, wape, smape or mase\n  did you mean rmse?"),
        ("baselines: {median_by: twon}", "tea.yaml:11: baselines.median_by: there is no column twon\n  did you mean town?"),
    ],
)  # fmt: skip
def test_parts_that_contradict_each_other_are_faults(added: str, fault: str):
    assert fault in faults_of(SMALL + added + "\n")


def test_a_feature_may_not_read_the_label():
    (fault,) = faults_of(SMALL + "features: {cheat: price / 2}\n")

    assert fault.startswith("tea.yaml:11: features.cheat: reads the label")


def test_all_faults_are_reported_together():
    text = (
        SMALL.replace("usecase", "use_case").replace("role: key", "role: kee") + "metric: rsme\nseed: many\n"
    )

    assert len(faults_of(text)) == 3


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SMALL + "use_case: coffee\n", "found duplicate key"),
        (SMALL + "split:\n\tfolds: 3\n", "found character '\\t' that cannot start any token"),
        ("- tea\n", "must hold keys and values"),
        ("", "must hold keys and values"),
        ("tea: [1,\n", "while parsing"),
    ],
)
def test_a_file_that_is_no_use_case_is_one_fault(text: str, fault: str):
    (only,) = faults_of(text)

    assert fault in only or fault == "while parsing"


def test_an_alias_that_holds_itself_is_refused():
    with pytest.raises((FaultyInput, InputError)):
        parse("use_case: &a [*a]\n", "tea.yaml")


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path):
    (tmp_path / "tea.yaml").write_text(SMALL)

    with pytest.raises(InputError, match="did you mean tea?"):
        load(tmp_path / "tee.yaml")


def test_the_contract_changes_with_what_decides_a_row_and_with_nothing_else():
    contract = parse(SMALL, "tea.yaml").contract

    assert parse(SMALL + "seed: 7\ntitle: Tea\n", "tea.yaml").contract == contract
    assert parse(SMALL.replace("role: category", "role: info"), "tea.yaml").contract == contract
    assert parse(SMALL.replace("role: feature", "role: feature, above: 0"), "tea.yaml").contract != contract
