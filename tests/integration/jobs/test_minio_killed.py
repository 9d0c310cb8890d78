"""MinIO is killed while somebody writes, and started again: what was done stays, and what was not is done by the next."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from by_hand import enter, scored, tea_of
from regatta.errors import Unreachable
from regatta.lake import Lake, layout
from regatta.lake.audit import audit
from regatta.lake.landing import land
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.local.state import StateFolder

LARGE = 24 * 1024**2  # bytes: sent in parts


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of a use case that no other test has."""
    return f"killed_{abs(hash(request.node.name)) % 10**9}"


@pytest.fixture
def own_minio(own_state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateFolder]:
    """A MinIO of this test alone, that may be killed; the test's own process reaches it as its admin."""
    embedded.up(mlflow=False, say=print)
    yield own_state
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def own_lake(name: str) -> Lake:
    return Lake.of(tea_of(name), embedded.environment(Identity.ADMIN))


def kill(state: StateFolder) -> None:
    minio = state.process("minio")
    assert minio is not None
    os.kill(minio.pid, signal.SIGKILL)
    while minio.is_running:
        time.sleep(0.01)


def killed_while(state: StateFolder, work: Callable[[threading.Event], object], after: float) -> str:
    """Do the work, kill MinIO so long after the work has said that it began, and start it again; what became of the work."""
    began = threading.Event()

    def disturb() -> None:
        began.wait()
        time.sleep(after)
        kill(state)
        embedded.up(mlflow=False, say=print)

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    try:
        work(began)
        return "went on"
    except Unreachable:
        return "ended with 4"
    finally:
        began.set()
        disturbing.join()


@pytest.mark.parametrize("after", [0.0, 0.03, 0.1])
def test_a_landing_beside_a_minio_that_is_killed_is_whole_in_the_end(
    own_minio: StateFolder, name: str, tmp_path: Path, after: float
) -> None:
    file, lake = tmp_path / "tea.csv", own_lake(name)
    lines = (f"{number},10,A,{number}" for number in range(LARGE // 18))
    file.write_text("\n".join(["id,area,town,price", *lines]) + "\n")

    left = file.stat().st_size  # to be read, before anything is sent

    def bring(began: threading.Event) -> None:
        def progress(count: int) -> None:
            nonlocal left
            left -= count
            if left < 0:
                began.set()

        land(lake.store, lake.use_case, [file], delivery="first", progress=progress)

    fate = killed_while(own_minio, bring, after)
    landed, _ = land(lake.store, lake.use_case, [file], delivery="first")

    print(f"killed after {after} s: the landing {fate}")
    assert audit(lake).findings == ()
    assert lake.store.digest(f"{layout.raw(landed.source)}first/tea.csv", "sha256") == landed.files[0].sha256


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05])
def test_a_promotion_beside_a_minio_that_is_killed_is_in_the_log_once_or_not_at_all(
    own_minio: StateFolder, name: str, after: float
) -> None:
    lake = own_lake(name)
    before = [enter(lake, f"run{number}") for number in range(3)]

    def promote(began: threading.Event) -> None:
        began.set()
        enter(lake, "disturbed")

    fate = killed_while(own_minio, promote, after)

    entries = lake.champions.entries()
    print(f"killed after {after} s: the promotion {fate}")
    assert entries[:3] == before
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.run_id for entry in entries[3:]] in (
        ["disturbed"],
        [] if fate == "ended with 4" else ["disturbed"],
    )


@pytest.mark.parametrize("after", [0.0, 0.02, 0.1])
def test_a_publication_beside_a_minio_that_is_killed_is_whole_after_the_next_job(
    own_minio: StateFolder, name: str, after: float
) -> None:
    lake = own_lake(name)
    records = [scored(lake, f"b{number}") for number in range(20)]

    def publish(began: threading.Event | None = None) -> None:
        if began:
            began.set()
        for record in records:
            lake.batches.publish(layout.batch(1, record.batch), record)

    fate = killed_while(own_minio, publish, after)
    print(f"killed after {after} s: the publications {fate}")
    publish()

    assert all(map(lake.is_visible, records))
    assert {record.batch for record in lake.batches.all("scores/champion=1/").values()} == {
        record.batch for record in records
    }
