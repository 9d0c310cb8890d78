"""Faults of a use-case file: all at once, each with its line and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from regatta.config import load, parse
from regatta.config.model import UseCase
from regatta.errors import FaultyInput, InputError
from tea import SMALL

CONF = Path(__file__).parents[2] / "conf"


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
