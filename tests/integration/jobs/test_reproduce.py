"""A run is trained again by `regatta reproduce`, from what its record names."""

from __future__ import annotations

import pytest

from house import House
from regatta.errors import ExitCode
from regatta.lake import layout
from shell import Shell

pytestmark = pytest.mark.timeout(900)


def reproduce(house: House, expect: int = ExitCode.DONE) -> str:
    """What is said of the newest run."""
    return Shell(house.variables, house.config).regatta("reproduce", expect=expect).stdout


def test_a_run_comes_out_the_same_again_and_nothing_is_left(house: House) -> None:
    before = {one.key: one.etag for one in house.lake.store.objects("")}

    said = reproduce(house)

    assert "is reproduced: the leaderboard (2 lines), every model, the vectors" in said
    assert {one.key: one.etag for one in house.lake.store.objects("")} == before


def test_a_run_whose_input_is_not_what_it_was_is_told_so_before_it_is_trained(house: House) -> None:
    (run,) = house.lake.runs.all("runs/").values()
    use_case = house.lake.use_case
    folder = layout.accepted(use_case.contract, "sales")
    verdict = house.lake.ingested.get(folder)
    assert verdict is not None
    key = f"{use_case.use_case}/{folder}{layout.RECORD}"
    record = house.lake.store.get(key) or b""
    other = record.replace(verdict.sha256["sales.csv"].encode(), b"0" * 64)
    assert other != record
    house.lake.store.put(key, other, "application/json")
    try:
        said = reproduce(house, ExitCode.INPUT)
    finally:
        house.lake.store.put(key, record, "application/json")

    assert f"run {run.run_id} cannot be trained again" in said
    assert "a delivery has another content" in said
