"""The lake answers late, wrongly or not at all: nothing is doubled, nothing lost, and the user is told.

Without Spark; what whole jobs do then is in test_lake_away.py. On MinIO, and in `make test-faults` on a second server.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from by_hand import enter, scored, tea_of
from proxy import Proxy, Request, proxy_of
from regatta.errors import ExitCode, Unreachable
from regatta.lake import Lake, layout
from regatta.lake import store as of_store
from regatta.lake.audit import audit
from regatta.lake.landing import land
from versitygw import versitygw

ON_ANOTHER_SERVER = pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="is built: make test-faults")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of a use case that no other test has."""
    return f"faults_{abs(hash(request.node.name)) % 10**9}"


@pytest.fixture(scope="module", params=["MinIO", pytest.param("versitygw", marks=ON_ANOTHER_SERVER)])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A lake as the variables by which it is reached."""
    if request.param == "MinIO":
        yield request.getfixturevalue("lake_environment")
    else:
        with versitygw(tmp_path_factory.mktemp("versitygw")) as variables:
            yield variables


@pytest.fixture
def proxy(server: dict[str, str]) -> Iterator[Proxy]:
    """Between the test and the lake."""
    with proxy_of(server["AWS_ENDPOINT_URL"]) as between:
        yield between


@pytest.fixture
def through(server: dict[str, str], proxy: Proxy) -> dict[str, str]:
    """The variables by which the lake is reached through the proxy."""
    return {**server, "AWS_ENDPOINT_URL": proxy.address}


@pytest.fixture
def lake(through: dict[str, str], name: str) -> Lake:
    return Lake.of(tea_of(name), through)


def conditional(request: Request) -> bool:
    return request.startswith(b"PUT") and b"if-none-match" in request.lower()


def once_each(which: Callable[[Request], bool]) -> Callable[[Request], bool]:
    """The first of the requests for each key."""
    seen: set[bytes] = set()
    lock = threading.Lock()

    def first(request: Request) -> bool:
        with lock:
            key = request.split(b" ")[1]
            if not which(request) or key in seen:
                return False
            seen.add(key)
            return True

    return first


# ---- an answer that is lost: the server has done it, and nobody hears so ----


def test_an_entry_whose_answer_is_lost_is_in_the_log_once(lake: Lake, proxy: Proxy) -> None:
    proxy.loses = once_each(conditional)

    first, second = enter(lake, "one"), enter(lake, "two")

    assert len(proxy.lost) == 2
    assert lake.champions.entries() == [first, second]
    assert [first.number, second.number] == [1, 2]


def test_of_eight_writers_whose_answers_are_lost_each_has_one_entry(lake: Lake, proxy: Proxy) -> None:
    proxy.loses = once_each(conditional)

    with ThreadPoolExecutor(8) as writers:
        written = list(writers.map(lambda number: enter(lake, f"run{number}"), range(8)))

    entries = lake.champions.entries()
    assert len(proxy.lost) == 8  # of each number, the first who asked
    assert [entry.number for entry in entries] == list(range(1, 9))
    assert sorted(written, key=lambda entry: entry.number) == entries
    assert {entry.run_id for entry in entries} == {f"run{number}" for number in range(8)}


def test_a_publication_whose_answer_is_lost_is_ours_and_whole(lake: Lake, proxy: Proxy) -> None:
    record = scored(lake)
    proxy.loses = once_each(conditional)

    standing, won = lake.batches.publish(layout.batch(1, "one"), record)

    assert len(proxy.lost) == 1
    assert (standing, won) == (record, True)
    assert lake.is_visible(record)


def test_a_publication_that_another_won_meanwhile_is_not_taken_for_ours(lake: Lake, proxy: Proxy) -> None:
    first = scored(lake)
    lake.batches.publish(layout.batch(1, "one"), first)
    second = scored(lake)
    proxy.loses = once_each(conditional)

    standing, won = lake.batches.publish(layout.batch(1, "one"), second)

    assert len(proxy.lost) == 1
    assert (standing, won) == (first, False)


def test_a_landing_whose_answers_are_all_lost_once_is_there_once(
    lake: Lake, proxy: Proxy, tmp_path: Path
) -> None:
    file = tmp_path / "tea.csv"
    file.write_text("id,area,town,price\n1,10,A,100\n")
    proxy.loses = once_each(lambda request: request.startswith(b"PUT"))

    landed, _ = land(lake.store, lake.use_case, [file], delivery="first")

    assert len(proxy.lost) == 2  # the file, and its record
    assert audit(lake).findings == ()
    assert [stored.key for stored in lake.store.files(layout.raw(landed.source))] == [
        f"{layout.raw(landed.source)}first/_delivery.json",
        f"{layout.raw(landed.source)}first/tea.csv",
    ]


# ---- a lake that is busy, closed or silent ----


def test_a_lake_that_is_busy_for_a_moment_is_waited_for(lake: Lake, proxy: Proxy) -> None:
    enter(lake, "one")
    proxy.mode = "busy"
    back = threading.Timer(1.0, lambda: setattr(proxy, "mode", "pass"))
    back.start()

    entry = enter(lake, "two")

    back.join()
    assert lake.champions.entries()[-1] == entry
    assert entry.number == 2


@pytest.mark.parametrize(
    ("mode", "fact"),
    [("busy", "the lake fails (SlowDown)"), ("refuse", "cannot be reached"), ("hang", "cannot be reached")],
)
def test_a_lake_that_stays_away_ends_the_command_with_4_and_a_sentence(
    proxy: Proxy,
    through: dict[str, str],
    name: str,
    mode: str,
    fact: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of_store, "ANSWER_WITHIN", 0.3)
    lake = Lake.of(tea_of(name), through)
    proxy.mode = mode

    with pytest.raises(Unreachable) as away:
        enter(lake, "one")

    assert fact in str(away.value)
    assert away.value.exit_code == ExitCode.UNREACHABLE
    proxy.mode = "pass"
    assert lake.champions.entries() == []


def test_a_request_that_hangs_is_tried_again(
    proxy: Proxy, through: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_store, "ANSWER_WITHIN", 0.5)
    lake = Lake.of(tea_of(name), through)
    proxy.mode = "hang"
    back = threading.Timer(0.3, lambda: setattr(proxy, "mode", "pass"))
    back.start()

    assert enter(lake, "one").number == 1

    back.join()
    assert len(lake.champions.entries()) == 1
