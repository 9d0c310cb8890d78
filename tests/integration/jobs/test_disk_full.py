"""The disk under MinIO fills up: the user is told, what was published stays whole, and with room again all goes on.

`make test-faults` runs this, since a job tries for minutes; it takes root, who may mount a filesystem.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from io import BytesIO
from itertools import count, takewhile
from pathlib import Path
from random import Random

import pytest

from by_hand import enter
from regatta.config import load
from regatta.errors import Unreachable
from regatta.lake import Lake, layout
from regatta.lake.audit import audit
from regatta.lake.landing import land
from regatta.runtime.identities import Identity
from regatta.runtime.local import embedded
from regatta.runtime.local.state import StateFolder
from shell import Shell
from small_runs import yaml
from trainings import until

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults"),
]

ROOM = 96  # MB
MEGABYTE = Random(1).randbytes(1 << 20)
HEADER = "id,price,size,grade,zip\n"


@pytest.fixture
def small_disk(own_state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a MinIO of this test alone keeps its data: a filesystem of 96 MB, in memory."""
    folder = own_state.root / "minio"
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "regatta", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a filesystem can be mounted by root alone: {mounted.stderr.strip()}")
    try:
        embedded.up(mlflow=False, say=print)
        yield folder
    finally:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        embedded.down(say=print)
        subprocess.run(["umount", folder], check=True)


def is_full(lake: Lake, key: str) -> bool:
    """Whether a megabyte that nothing can pack is not taken."""
    try:
        lake.store.upload(key, BytesIO(MEGABYTE))
    except Unreachable:
        return True
    return False


def test_what_finds_no_room_ends_with_4_and_leaves_what_there_was(small_disk: Path, tmp_path: Path) -> None:
    config = tmp_path / "full.yaml"
    config.write_text(yaml("full", min_rows=10))
    lake = Lake.of(load(config), embedded.environment(Identity.ADMIN))
    sales, more = tmp_path / "sales.csv", tmp_path / "more.csv"
    sales.write_text(HEADER + "".join(f"h{n},{100 * n + 1},{n},3,A\n" for n in range(1, 100)))
    more.write_text(HEADER + "".join(f"m{n},{100 * n + 1},{n},3,A\n" for n in range(1, 80_000)))
    land(lake.store, lake.use_case, [sales], delivery="sales")
    entry = enter(lake, "one")
    filling = list(takewhile(lambda key: not is_full(lake, key), map("filling/{}".format, count())))
    before = audit(lake).findings

    with pytest.raises(Unreachable, match="the lake's disk is full"):
        land(lake.store, lake.use_case, [more], delivery="more")
    user = Shell({**os.environ, "REGATTA_DRIVER_MEMORY": "1g"}, config)
    said = user.regatta("ingest", expect=4).stdout

    assert "the lake's disk is full" in said
    assert "Traceback" not in said
    assert lake.champions.entries() == [entry]
    assert lake.ingested.all(layout.accepted(lake.use_case.contract)) == {}
    assert audit(lake).findings == before

    lake.store.delete(filling)
    until(
        lambda: not is_full(lake, "filling/last")
    )  # MinIO removes later on, and looks at its disk now and then
    land(lake.store, lake.use_case, [more], delivery="more")
    user.regatta("ingest")
    accepted = lake.ingested.all(layout.accepted(lake.use_case.contract)).values()
    assert sorted((one.delivery, one.accepted) for one in accepted) == [("more", 79_999), ("sales", 99)]
