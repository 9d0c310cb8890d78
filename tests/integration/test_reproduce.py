"""A run is trained again by `regatta reproduce`, from what its record names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from house import House
from regatta.errors import ExitCode
from regatta.lake import layout

pytestmark = pytest.mark.timeout(900)


def reproduce(house: House) -> subprocess.CompletedProcess[str]:
    """The newest run, as a user does it."""
    words = [sys.executable, "-c", "from regatta.cli import main; main()", "reproduce", str(house.config)]
    return subprocess.run(words, env=house.variables, capture_output=True, text=True, check=False)


def test_a_run_comes_out_the_same_again_and_nothing_is_left(house: House) -> None:
    before = {one.key: one.etag for one in house.lake.store.objects("")}

    done = reproduce(house)

    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    assert "is reproduced: the leaderboard (2 lines), every model, the vectors" in done.stdout
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
        done = reproduce(house)
    finally:
        house.lake.store.put(key, record, "application/json")

    assert done.returncode == ExitCode.INPUT
    said = done.stdout  # of the job, which is relayed
    assert f"run {run.run_id} cannot be trained again" in said
    assert "a delivery has another content" in said
