from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from regatta import config
from regatta.config import UseCase
from regatta.errors import InputError
from regatta.features.inputs import changes, columns_read, trained_as
from regatta.lake import Run

CONF = Path(__file__).parents[2] / "conf"


def run_of(configuration: dict[str, object]) -> Run:
    return Run(
        attempt="a",
        published_at=datetime(2015, 5, 1, tzinfo=UTC),
        files=(),
        run_id="2015-04-30-0a1b2c3d",
        use_case="house_prices",
        as_of=datetime(2015, 4, 30, tzinfo=UTC),
        fingerprint="f",
        contract="c",
        deliveries=(),
        configuration=configuration,
        code="c",
        versions={},
        rows={},
        winner="gbt",
        winner_family="gbt",
        metrics={},
        baselines={},
        seconds=0.0,
    )


def changed(use_case: UseCase, column: str, **update: object) -> UseCase:
    columns = {**use_case.columns, column: use_case.columns[column].model_copy(update=update)}
    return use_case.model_copy(update={"columns": columns})


@pytest.fixture(scope="module")
def house_prices() -> UseCase:
    return config.load(CONF / "house_prices.yaml")


@pytest.mark.parametrize("file", sorted(CONF.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_run_gives_back_the_use_case_it_was_trained_with(file: Path) -> None:
    use_case = config.load(file)
    in_the_lake = Run.model_validate_json(run_of(use_case.model_dump(mode="json")).as_bytes())
    found = trained_as(in_the_lake)
    assert found == use_case
    assert found.contract == use_case.contract


def test_a_configuration_of_another_version_is_an_answer_and_no_crash(house_prices: UseCase) -> None:
    configuration = json.loads(house_prices.model_dump_json()) | {"horizon": 7}
    with pytest.raises(InputError) as told:
        trained_as(run_of(configuration))
    assert str(told.value) == (
        "run 2015-04-30-0a1b2c3d: this version of regatta cannot read the run's configuration "
        "(horizon: Extra inputs are not permitted)\n  regatta train house_prices"
    )


def test_a_model_reads_its_inputs_and_what_its_features_are_made_of(house_prices: UseCase) -> None:
    read = columns_read(house_prices)
    assert {"date", "yr_renovated", "zipcode", "grade"} <= set(read)
    assert not {"id", "price"} & set(read)
    assert list(read) == [name for name in house_prices.columns if name in read]


def test_a_column_that_is_gone_or_has_another_type_or_unit_is_named(house_prices: UseCase) -> None:
    now = changed(changed(house_prices, "zipcode", type="integer"), "sqft_lot", unit="m2")
    now = now.model_copy(
        update={"columns": {name: column for name, column in now.columns.items() if name != "grade"}}
    )
    assert changes(house_prices, now, columns_read(house_prices)) == [
        "sqft_lot was in sqft and is in m2",
        "grade is gone",
        "zipcode was a string and is a integer",
    ]


def test_a_unit_that_was_not_stated_before_has_not_changed(house_prices: UseCase) -> None:
    assert changes(house_prices, changed(house_prices, "grade", unit="points"), ["grade"]) == []
    assert changes(house_prices, changed(house_prices, "sqft_lot", unit=None), ["sqft_lot"]) == []
