"""Files become deliveries, and deliveries become accepted and rejected rows, in a real object store."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import ingest
from regatta.address import DEFAULT_LAKE
from regatta.config import UseCase, load, parse
from regatta.contract.accepted import accepted
from regatta.errors import InputError
from regatta.lake import Delivery, Ingested, Lake, layout
from regatta.lake.deliveries import deliveries, unrecorded
from regatta.lake.landing import land
from regatta.runtime.job import Job
from regatta.runtime.submit import command, project_root, submit

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOUSES = """
use_case: {name}
sources: {{{name}_sales: {{role: train}}, {name}_listings: {{role: score}}}}
columns:
  id:    {{type: string, role: key}}
  sold:  {{type: date}}
  price: {{type: number, unit: USD, role: label, above: 0}}
  size:  {{type: number, unit: sqft, role: feature, required: true}}
rules: [{{name: dear, sql: price / size < 1000, level: warn}}]
max_rejected: {max_rejected}
candidates: {{linear_regression: {{regParam: 0.1}}}}
"""
GOOD = "id,sold,price,size\n1,2015-04-01,200,10\n2,2015-04-02,300,20\n"
APRIL, MAY = datetime(2015, 4, 30, tzinfo=UTC), datetime(2015, 5, 31, tzinfo=UTC)

Land = Callable[..., tuple[Delivery, bool]]
Ingest = Callable[..., dict[str, Ingested]]


def houses(name: str, max_rejected: float = 0.5) -> UseCase:
    return parse(HOUSES.format(name=name, max_rejected=max_rejected), "houses.yaml")


@pytest.fixture
def lake(in_the_lake: None, request: pytest.FixtureRequest) -> Lake:
    """The lake of a use case that no other test has."""
    name = request.node.originalname.removeprefix("test_")[:40]
    return Lake.of(houses(f"{name}_{abs(hash(request.node.name)) % 10_000}"))


@pytest.fixture
def landed(lake: Lake, tmp_path: Path) -> Land:
    """Lands files, given as {name: content}, or one content alone."""

    def call(files: dict[str, str | bytes] | str, delivery: str, **options: object) -> tuple[Delivery, bool]:
        paths = []
        for name, content in (files if isinstance(files, dict) else {"a.csv": files}).items():
            paths.append(tmp_path / name)
            paths[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
        return land(lake.store, lake.use_case, paths, delivery=delivery, **options)  # type: ignore[arg-type]

    return call


@pytest.fixture
def ingested(lake: Lake, lake_spark: SparkSession) -> Ingest:
    """Runs the job in the tests' session; gives back all verdicts that stand."""

    def call(use_case: UseCase | None = None) -> dict[str, Ingested]:
        use_case = use_case or lake.use_case
        ingest.main(Job("ingest", use_case, Namespace(as_of=None)))
        return verdicts(Lake(lake.store, use_case))

    return call


def verdicts(lake: Lake) -> dict[str, Ingested]:
    found = lake.ingested.all(layout.accepted(lake.use_case.contract))
    return {name.removeprefix("delivery="): record for name, record in found.items()}


def test_a_delivery_is_there_once_its_record_is(lake: Lake, landed: Land) -> None:
    record, written = landed({"b.csv": GOOD, "a.csv": b"not,read\n\xff"}, "april", delivered_at=APRIL)
    assert written
    assert [(file.name, file.rows) for file in record.files] == [("a.csv", None), ("b.csv", 2)]
    assert deliveries(lake.store, record.source) == [record]
    for file in record.files:
        stored = lake.store.stat(layout.raw(record.source, "april") + file.name)
        assert stored is not None
        assert (stored.bytes, stored.etag) == (file.bytes, file.etag)


def test_the_same_bytes_again_are_nothing_new_and_other_bytes_are_refused(lake: Lake, landed: Land) -> None:
    first, _ = landed(GOOD, "april")
    again, written = landed(GOOD, "april")
    assert (again, written) == (first, False)
    with pytest.raises(InputError) as error:
        landed({"a.csv": GOOD + "3,2015-04-03,1,1\n", "b.csv": GOOD}, "april")
    assert str(error.value) == (
        f"delivery april of {first.source}: a.csv stands there with other bytes; b.csv is not in it\n"
        "  a delivery never changes: land this under another id, with --replaces april if it corrects that one"
    )


def test_a_landing_that_broke_off_is_finished_by_the_next(lake: Lake, landed: Land) -> None:
    source = lake.use_case.source("train")
    assert source is not None
    folder = layout.raw(source, "april")
    lake.store.put_new(folder + "a.csv", b"half a fi")
    assert unrecorded(lake.store, source) == [lake.store.uri(folder + "a.csv")]
    assert deliveries(lake.store, source) == []
    landed(GOOD, "april")
    assert lake.store.get(folder + "a.csv") == GOOD.encode()
    assert unrecorded(lake.store, source) == []


def test_an_object_that_is_in_the_lake_is_copied_there_or_taken_where_it_stands(lake: Lake) -> None:
    source = lake.use_case.source("train")
    dropped, standing = "inbox/houses.csv", layout.raw(str(source), "april") + "more.csv"
    lake.store.put_new(dropped, GOOD.encode())
    lake.store.put_new(standing, GOOD.encode())
    uris = [lake.store.uri(key).replace("s3a://", "s3://") for key in (dropped, standing)]
    record, _ = land(lake.store, lake.use_case, uris, delivery="april")
    assert [(file.name, file.rows) for file in record.files] == [("houses.csv", 2), ("more.csv", 2)]
    assert lake.store.get(layout.raw(str(source), "april") + "houses.csv") == GOOD.encode()


@pytest.mark.parametrize(
    ("file", "delivery", "options", "message"),
    [
        ("a b.csv", "april", {}, "'a b.csv' cannot name a file of a delivery\n  rename it: use letters"),
        ("a.csv", "april 1", {}, "'april 1' cannot name a delivery\n  use letters"),
        ("a.csv", "april", {"replaces": "march"}, "has no delivery march that could be replaced"),
    ],
)
def test_a_landing_is_refused_for(
    lake: Lake, landed: Land, file: str, delivery: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as error:
        landed({file: GOOD}, delivery, **options)
    assert message in str(error.value)


def test_an_id_is_unique_in_a_use_case(lake: Lake, landed: Land) -> None:
    landed(GOOD, "april")
    with pytest.raises(InputError, match="has a delivery april already"):
        landed(GOOD, "april", role="score")


def test_a_replaced_delivery_is_left_out_as_soon_as_its_correction_is_there(lake: Lake, landed: Land) -> None:
    first, _ = landed(GOOD, "april", delivered_at=APRIL)
    second, _ = landed(GOOD.replace("200", "201"), "april-corrected", delivered_at=MAY, replaces="april")
    assert deliveries(lake.store, first.source) == [second]
    assert deliveries(lake.store, first.source, as_of=APRIL) == [first]


def test_every_row_of_every_delivery_is_accounted_for(
    lake: Lake, landed: Land, ingested: Ingest, lake_spark: SparkSession
) -> None:
    dirt = (
        "price,id,size,sold\n"
        "200,1,10,2015-04-01\n"
        "two hundred,2,10,2015-04-01\n"
        "NaN,3,10,2015-04-01\n"
        "-5,4,,2015-02-30\n"
        "90000,1,10,2015-04-01\n"
        "90000,5,10,2015-04-01\n"
    )
    landed({"b.csv": GOOD, "c.csv": GOOD.replace("\n1,", "\n3,").replace("\n2,", "\n4,")}, "clean")
    landed(dirt, "dirty", delivered_at=APRIL)
    landed("id,sold,size\n9,2015-05-01,10\n", "listed", role="score")
    lake = Lake(lake.store, houses(lake.use_case.use_case, max_rejected=0.9))
    found = ingested(lake.use_case)
    assert {name: (one.rows, one.accepted, one.rejected) for name, one in found.items()} == {
        "clean": (4, 4, 0),
        "dirty": (6, 2, 4),
        "listed": (1, 1, 0),
    }
    assert found["dirty"].reasons == {
        "price: is not a number": 2,
        "price: must be above 0": 1,
        "size: is required": 1,
        "sold: is not a date like 2015-01-31": 1,
        "id: is a second row with this key": 1,
    }
    assert found["dirty"].warnings == {"dear": 1}

    left = lake_spark.read.parquet(lake.uri(layout.rejected(lake.use_case.contract)))
    assert [(row.delivery, row.row, row.original) for row in left.orderBy("row").collect()] == [
        ("dirty", 2, '{"price":"two hundred","id":"2","size":"10","sold":"2015-04-01"}'),
        ("dirty", 3, '{"price":"NaN","id":"3","size":"10","sold":"2015-04-01"}'),
        ("dirty", 4, '{"price":"-5","id":"4","size":null,"sold":"2015-02-30"}'),
        ("dirty", 5, '{"price":"90000","id":"1","size":"10","sold":"2015-04-01"}'),
    ]

    read = accepted(lake_spark, lake, "train")
    assert [record.delivery for record in read.deliveries] == ["dirty", "clean"]
    assert (read.read, read.superseded) == (6, 1)  # id 1 is in both, and clean is the later one
    rows = read.rows.orderBy("id").collect()
    assert [(row.delivery, row.file, row.row, row.id, row.price) for row in rows] == [
        ("clean", "b.csv", 1, "1", 200.0),
        ("clean", "b.csv", 2, "2", 300.0),
        ("clean", "c.csv", 1, "3", 200.0),
        ("clean", "c.csv", 2, "4", 300.0),
        ("dirty", "a.csv", 6, "5", 90000.0),
    ]
    to_score = accepted(lake_spark, lake, "score", delivery="listed").rows.collect()
    assert [(row.id, row.price) for row in to_score] == [("9", None)]


def test_a_delivery_that_is_broken_as_a_whole_is_refused_and_the_others_go_on(
    lake: Lake, landed: Land, ingested: Ingest, capsys: pytest.CaptureFixture[str]
) -> None:
    landed(GOOD, "good")
    landed("", "empty")
    landed(GOOD.replace(",", ";"), "semicolons")
    landed({"a.csv": GOOD, "b.csv": GOOD.replace("size", "area")}, "header")
    landed('id,sold,price,size\n1,2015-04-01,"200,10\n2,2015-04-02,300,20\n', "unclosed")
    landed("id,sold,price,size\n1,2015-04-01,x,1\n2,2015-04-01,y,1\n3,2015-04-01,1,1\n", "mostly-dirt")
    found = ingested()
    assert {name: record.refused for name, record in found.items()} == {
        "good": None,
        "empty": "a.csv: is empty",
        "semicolons": "a.csv: the header has 1 column when separated by ','; it looks separated by ';'",
        "header": "b.csv: column size is missing, column area is not in the contract"
        " (name it under csv.ignore)",
        "unclosed": "a.csv: the quote that opens in line 2 is never closed",
        "mostly-dirt": "2 of 3 rows are rejected, more than max_rejected (50%) allows:"
        " price: is not a number (2)",
    }
    assert (found["good"].accepted, found["header"].rows, found["header"].accepted) == (2, 4, 0)
    assert all(not record.files for record in found.values() if record.refused)
    told = capsys.readouterr().err
    assert "the quote that opens in line 2" in told


def test_a_second_ingest_has_nothing_to_do_and_a_changed_contract_begins_anew(
    lake: Lake, landed: Land, ingested: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(GOOD, "april")
    first = ingested()
    said: list[str] = []
    monkeypatch.setattr(ingest, "say", said.append)
    assert ingested() == first
    assert said == ["nothing to ingest: 1 delivery landed, and each has its verdict"]
    changed = houses(lake.use_case.use_case, max_rejected=0.4)
    assert ingested(changed)["april"].contract == changed.contract
    assert verdicts(lake) == first


def test_ingest_fails_where_nothing_was_taken_and_accepted_says_what_to_do(
    lake: Lake,
    landed: Land,
    ingested: Ingest,
    lake_spark: SparkSession,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = lake.use_case.use_case
    with pytest.raises(InputError) as error:
        accepted(lake_spark, lake, "train")
    assert str(error.value) == (f"{name}: nothing is ingested to train with\n  run `regatta ingest {name}`")
    landed("id\n1\n", "april")
    with pytest.raises(InputError, match="nothing was taken"):
        ingested()
    capsys.readouterr()
    ingested()
    assert "april stays refused: a.csv: column sold is missing" in capsys.readouterr().err
    with pytest.raises(InputError, match="every delivery to train with was refused"):
        accepted(lake_spark, lake, "train")


def test_a_file_that_changed_after_it_was_landed_is_refused(
    lake: Lake, landed: Land, ingested: Ingest
) -> None:
    record, _ = landed(GOOD, "april")
    key = layout.raw(record.source, "april") + "a.csv"
    lake.store.delete([key])
    lake.store.put_new(key, GOOD.replace("200", "999").encode())
    landed(GOOD, "good")
    assert ingested()["april"].refused == "a.csv: is not what was landed"


def test_king_county_is_ingested_whole_by_spark_submit_into_a_lake_with_a_prefix(
    in_the_lake: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_root()
    monkeypatch.chdir(project)
    monkeypatch.setenv("REGATTA_LAKE", f"{DEFAULT_LAKE}/king county")
    config = project / "conf/house_prices.yaml"
    lake = Lake.of(load(config))
    data = project / "data/house_prices"
    for file in sorted(data.glob("train/*.csv")):
        land(lake.store, lake.use_case, [file], delivery=file.stem)
    for file in sorted(data.glob("score/*.csv")):
        land(lake.store, lake.use_case, [file], delivery=file.stem, role="score")

    assert submit("ingest", command("ingest", config)) == 0

    found = verdicts(lake)
    assert len(found) == len([*data.glob("*/*.csv")]) - len([*data.glob("later/*.csv")])
    assert sum(record.accepted + record.rejected for record in found.values()) == 21_613
    assert all(record.rejected == sum(record.reasons.values()) for record in found.values())
