"""Every file of `malformed` is a delivery, and one ingest judges them all: each row and each delivery has its fate."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import ingest
from malformed import CASES, CONTRACT, PLAIN, Rows
from regatta.config import parse
from regatta.contract import preflight
from regatta.lake import Delivery, Ingested, Lake, layout
from regatta.lake.landing import land
from regatta.runtime.job import Job, trouble

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

GONE = "a-file-that-was-removed"


def name_of(case: str) -> str:
    """A delivery's id: letters, digits, dots and dashes alone."""
    return (
        "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in case).strip("-") or "x"
    )


@pytest.fixture(scope="module")
def verdict(
    lake_environment: dict[str, str], lake_spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Ingested]:
    """What became of every delivery, by its id."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in lake_environment.items():
            patch.setenv(name, value)
        lake = Lake.of(parse(CONTRACT.format(name="malformed"), "malformed.yaml"))
        for case, (content, _) in {**CASES, GONE: CASES["plain"]}.items():
            folder = tmp_path_factory.mktemp("delivery")
            paths = []
            for file, text in (content if isinstance(content, dict) else {"a.csv": content}).items():
                paths.append(folder / file)
                paths[-1].write_bytes(text)
            land(lake.store, lake.use_case, paths, delivery=name_of(case))
        lake.store.delete([layout.raw("malformed_sales", GONE) + "a.csv"])
        ingest.main(Job("ingest", lake.use_case, Namespace(as_of=None)))
        found = lake.ingested.all(layout.accepted(lake.use_case.contract)).values()
        return {record.delivery: record for record in found}


@pytest.mark.parametrize("case", CASES)
def test_the_fate_of(case: str, verdict: dict[str, Ingested]) -> None:
    record, (_, fate) = verdict[name_of(case)], CASES[case]
    if not isinstance(fate, Rows):
        assert record.refused == fate.why
        assert (record.accepted, record.rejected, record.files) == (0, 0, ())
        return
    assert record.refused is None
    assert record.reasons == fate.reasons
    rejected = sum(fate.reasons.values()) if fate.rejected is None else fate.rejected
    assert (record.accepted, record.rejected) == (fate.accepted, rejected)
    assert record.rows == record.accepted + record.rejected


def test_a_file_that_was_removed_after_it_was_landed_is_named(verdict: dict[str, Ingested]) -> None:
    assert verdict[GONE].refused == "a.csv: is gone"


def test_a_file_that_disappears_while_it_is_read_refuses_its_delivery_and_the_others_go_on(
    in_the_lake: None,
    lake_spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = Lake.of(parse(CONTRACT.format(name="vanishing"), "vanishing.yaml"))
    (tmp_path / "a.csv").write_bytes(PLAIN)
    for delivery in ("april", "may"):
        land(lake.store, lake.use_case, [tmp_path / "a.csv"], delivery=delivery)
    inspect = preflight.inspect

    def and_then_april_vanishes(lake: Lake, delivery: Delivery) -> preflight.Sound | preflight.Broken:
        look = inspect(lake, delivery)
        lake.store.delete([layout.raw("vanishing_sales", "april") + "a.csv"])
        return look

    monkeypatch.setattr(preflight, "inspect", and_then_april_vanishes)
    ingest.main(Job("ingest", lake.use_case, Namespace(as_of=None)))
    records = lake.ingested.all(layout.accepted(lake.use_case.contract)).values()
    assert {one.delivery: (one.refused, one.accepted) for one in records} == {
        "april": ("a.csv: is gone", 0),
        "may": (None, 3),
    }
    said = trouble("[PATH_NOT_FOUND] Path does not exist: s3a://regatta/raw/x/april/a.csv. SQLSTATE: 42K03")
    assert str(said).startswith(
        "s3a://regatta/raw/x/april/a.csv: was removed from the lake while it was read"
    )
