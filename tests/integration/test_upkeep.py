"""A lake is looked over and cleaned: what is not as published is found, and only what nobody needs goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from regatta.cli import group
from regatta.config import parse
from regatta.errors import FaultyInput, InputError
from regatta.lake import Attempt, Ingested, Lake, Run, layout
from regatta.lake.audit import audit
from regatta.lake.landing import land
from regatta.lake.leftovers import ABANDONED, QUIET, Fate, Leftover, abort_superseded, leftovers, remove
from s3_client import s3_client
from tea import SMALL

NOW = datetime.now(UTC)
ACCEPTED = "accepted/contract=c/delivery=first/"


@pytest.fixture
def lake(in_the_lake: None, request: pytest.FixtureRequest) -> Lake:
    """The lake of a use case that no other test has."""
    name = f"upkeep_{abs(hash(request.node.name)) % 10**9}"
    of_its_own = SMALL.replace("use_case: tea", f"use_case: {name}").replace("sales:", f"{name}_sales:")
    return Lake.of(parse(of_its_own, "tea.yaml"))


def parquet(rows: int) -> bytes:
    content = BytesIO()
    pq.write_table(pa.table({"id": [str(number) for number in range(rows)]}), content)
    return content.getvalue()


def ingested(lake: Lake, *, accepted: int = 3, attempt: Attempt | None = None) -> Attempt:
    """Publish a verdict on two rows that were accepted and one that was rejected, as a job does."""
    attempt = attempt or lake.attempt()
    attempt.write(f"{ACCEPTED}part-0.parquet", parquet(2))
    attempt.write(f"{ACCEPTED.replace('accepted', 'rejected')}part-0.parquet", parquet(1))
    record = Ingested(
        attempt=attempt.id,
        published_at=NOW,
        files=attempt.files(),
        delivery="first",
        source="sales",
        role="train",
        contract="c",
        delivered_at=NOW,
        rows=3,
        accepted=accepted - 1,
        rejected=1,
        reasons={},
        sha256={},
    )
    lake.ingested.publish(ACCEPTED, record)
    return attempt


def trained(lake: Lake, run_id: str = "one") -> Run:
    """Publish a run whose model is two small files."""
    attempt, folder = lake.attempt(), layout.run(run_id)
    attempt.write(f"{folder}model/metadata/part-00000", b"{}")
    attempt.write(f"{folder}model/stages/part-00000", b"0123456789")
    attempt.write(f"{folder}holdout/part-0.parquet", parquet(4))
    return lake.runs.publish(
        folder,
        Run(
            attempt=attempt.id,
            published_at=NOW,
            files=attempt.files(hashed=layout.loaded(run_id)),
            run_id=run_id,
            use_case=lake.use_case.use_case,
            as_of=NOW,
            fingerprint="f",
            contract="c",
            deliveries=("first",),
            configuration={},
            code="code",
            versions={},
            rows={"held_out": 4},
            winner="mean",
            winner_family="mean",
            metrics={},
            baselines={},
            seconds=1.0,
        ),
    )[0]


def overwrite(lake: Lake, environment: dict[str, str], name: str, content: bytes) -> None:
    """As a person with an admin's keys could."""
    key = lake.uri(name).removeprefix(f"s3a://{lake.store.bucket}/")
    s3_client(environment).put_object(Bucket=lake.store.bucket, Key=key, Body=content)


def facts(lake: Lake) -> dict[str, str]:
    """What is found, by file or folder relative to the lake's root."""
    return {one.place.removeprefix(lake.store.uri("")): one.fact for one in audit(lake).findings}


def of(lake: Lake, attempt: Attempt) -> Leftover:
    return next(one for one in leftovers(lake) if one.attempt == attempt.id)


def test_what_is_as_it_was_published_is_found_so(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,area,town,price\n1,2,A,3\n")
    land(lake.store, lake.use_case, [tmp_path / "a.csv"], delivery="first")
    ingested(lake)
    trained(lake)
    lake.champions.append(after=[], action="promote", run_id="one", metrics={}, reason="first")
    found = audit(lake)
    assert found.findings == ()
    assert found.looked_at == {
        "deliveries": 1, "files": 6, "verdicts on deliveries": 1, "runs": 1, "champions": 1,
    }  # fmt: skip


def test_a_delivered_file_with_other_bytes_of_the_same_length_is_found(
    lake: Lake, lake_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("id,area,town,price\n1,2,A,3\n")
    delivery, _ = land(lake.store, lake.use_case, [tmp_path / "a.csv"], delivery="first")
    key = f"{layout.raw(delivery.source, 'first')}a.csv"
    s3_client(lake_environment).put_object(
        Bucket=lake.store.bucket, Key=key, Body=b"id,area,town,price\n1,2,A,4\n"
    )
    assert facts(lake) == {key: "has another content than was published"}


@pytest.mark.parametrize(
    ("name", "content", "fact"),
    [
        (f"{ACCEPTED}part-0.parquet", b"short", "has 5 bytes where "),
        ("runs/one/model/stages/part-00000", b"0123456780", "has another content than was published"),
        ("runs/one/holdout/part-1.parquet", b"more", "no record names it, and a plain reader reads it"),
    ],
)
def test_a_published_file_that_is_not_what_it_was_is_found(
    lake: Lake, lake_environment: dict[str, str], name: str, content: bytes, fact: str
) -> None:
    ingested(lake)
    trained(lake)
    overwrite(lake, lake_environment, name, content)
    ((place, found),) = facts(lake).items()
    assert place == f"{lake.use_case.use_case}/{name}"
    assert found.startswith(fact)


def test_a_file_that_is_gone_is_told_from_one_that_is_not_visible_yet(lake: Lake) -> None:
    attempt, name = ingested(lake), f"{lake.use_case.use_case}/{ACCEPTED}part-0.parquet"
    lake.store.delete([name])
    assert facts(lake) == {name: "is not visible yet: any job of the same verb will finish that"}
    assert of(lake, attempt).fate is Fate.NOT_VISIBLE_YET
    assert not of(lake, attempt).is_removable(NOW + timedelta(days=365))
    remove(lake, of(lake, attempt))
    assert facts(lake) == {name: "is gone"}


def test_rows_that_do_not_add_up_are_found(lake: Lake) -> None:
    ingested(lake, accepted=4)
    folder = f"{lake.use_case.use_case}/{ACCEPTED}"
    assert [(one.place.removeprefix(lake.store.uri("")), one.fact) for one in audit(lake).findings] == [
        (folder, "3 accepted and 1 rejected are not the 3 rows that were delivered"),
        (folder, "3 rows were accepted, and its files have 2"),
    ]


def test_a_champion_whose_run_is_gone_is_found(lake: Lake) -> None:
    lake.champions.append(after=[], action="promote", run_id="lost", metrics={}, reason="first")
    assert facts(lake) == {f"{lake.use_case.use_case}/champion/00000001.json": "its run lost is gone"}


def test_a_model_with_one_flipped_byte_is_refused_with_the_files_name(
    lake: Lake, lake_environment: dict[str, str]
) -> None:
    run = trained(lake)
    assert lake.runs.trusted(run, "runs/one/model/") == lake.uri("runs/one/model/")
    overwrite(lake, lake_environment, "runs/one/model/stages/part-00000", b"0123456788")
    with pytest.raises(InputError, match="stages/part-00000 has another content than was published") as told:
        lake.runs.trusted(run, "runs/one/model/")
    assert told.value.place == lake.uri("runs/one/model/")


def test_attempts_go_when_nobody_can_need_them_and_what_is_visible_stays(lake: Lake) -> None:
    winner, loser, unfinished = ingested(lake), lake.attempt(), lake.attempt()
    ingested(lake, attempt=loser)
    unfinished.write("runs/two/model/metadata/part-00000", b"{}")
    fates = {one.attempt: one.fate for one in leftovers(lake)}
    assert fates == {
        winner.id: Fate.PUBLISHED, loser.id: Fate.SUPERSEDED, unfinished.id: Fate.UNFINISHED,
    }  # fmt: skip
    now, moment = datetime.now(UTC), timedelta(minutes=5)
    soon, decided, late = now + QUIET - moment, now + QUIET + moment, now + ABANDONED + moment
    assert not any(one.is_removable(soon) for one in leftovers(lake))
    assert {one.attempt for one in leftovers(lake) if one.is_removable(decided)} == {winner.id, loser.id}
    assert {one.attempt for one in leftovers(lake) if one.is_removable(late)} == fates.keys()
    for one in leftovers(lake):
        remove(lake, one)
    assert leftovers(lake) == []
    assert facts(lake) == {}
    assert audit(lake).looked_at["files"] == 2


def test_a_pending_upload_is_shown_and_removed(lake: Lake, lake_environment: dict[str, str]) -> None:
    client, attempt = s3_client(lake_environment), lake.attempt()
    key = attempt.uri("runs/one/model/data").removeprefix(f"s3a://{lake.store.bucket}/")
    client.create_multipart_upload(Bucket=lake.store.bucket, Key=key)
    begun = of(lake, attempt)
    assert (len(begun.objects), len(begun.uploads), begun.fate) == (0, 1, Fate.UNFINISHED)
    trained(lake)
    assert of(lake, attempt).fate == Fate.SUPERSEDED
    remove(lake, begun)
    assert not any(one.uploads for one in leftovers(lake))


def test_only_uploads_whose_work_is_published_end_with_the_next_job(
    lake: Lake, lake_environment: dict[str, str]
) -> None:
    client, killed, alive = s3_client(lake_environment), lake.attempt(), lake.attempt()

    def begin(attempt: Attempt, name: str) -> None:
        key = attempt.uri(name).removeprefix(f"s3a://{lake.store.bucket}/")
        client.create_multipart_upload(Bucket=lake.store.bucket, Key=key)

    begin(killed, "runs/one/model/data")
    begin(killed, f"{ACCEPTED.replace('accepted', 'rejected')}part-1.parquet")
    begin(killed, f"accepted/contract=c/delivery={layout.aside('first')}/part-2.parquet")
    begin(alive, "runs/one-again/model/data")
    begin(alive, "accepted/contract=c/delivery=second/part-0.parquet")
    abort_superseded(lake)
    assert [len(one.uploads) for one in leftovers(lake)] == [3, 2]
    trained(lake)
    ingested(lake)
    abort_superseded(lake)
    assert {one.attempt: len(one.uploads) for one in leftovers(lake) if one.uploads} == {alive.id: 2}


def test_what_a_landing_that_broke_off_sent_in_parts_is_shown_and_removed(
    lake: Lake, lake_environment: dict[str, str]
) -> None:
    folder = f"raw/{lake.use_case.source('train')}/april"
    s3_client(lake_environment).create_multipart_upload(Bucket=lake.store.bucket, Key=f"{folder}/tea.csv")
    (begun,) = leftovers(lake)
    assert (begun.attempt, len(begun.uploads), begun.fate) == (folder, 1, Fate.UNFINISHED)
    remove(lake, begun)
    assert leftovers(lake) == []


def test_gc_shows_and_keeps_what_is_young(lake: Lake, tmp_path: Path) -> None:
    ingested(lake)
    (tmp_path / "tea.yaml").write_text(SMALL.replace("use_case: tea", f"use_case: {lake.use_case.use_case}"))
    for arguments in ([], ["--delete"]):
        answer = CliRunner().invoke(group, ["gc", str(tmp_path / "tea.yaml"), *arguments])
        assert answer.exit_code == 0, answer.output
        assert "nothing is removable yet" in answer.output
        assert len(leftovers(lake)) == 1


def test_verify_ends_in_an_error_that_names_what_it_found(lake: Lake, tmp_path: Path) -> None:
    ingested(lake, accepted=4)
    (tmp_path / "tea.yaml").write_text(SMALL.replace("use_case: tea", f"use_case: {lake.use_case.use_case}"))
    answer = CliRunner().invoke(group, ["verify", str(tmp_path / "tea.yaml")])
    assert isinstance(answer.exception, FaultyInput)
    assert "2 not as published" in str(answer.exception)
    assert "3 rows were accepted, and its files have 2" in str(answer.exception)
