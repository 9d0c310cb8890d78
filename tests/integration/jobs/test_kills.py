"""Jobs are killed at random instants, beside a reader that looks all the time, and run again.

REGATTA_KILLS sets how often each verb is killed: once in `make test`, twenty times in `make test-faults`;
REGATTA_SEED draws other instants. Six in ten lie after the attempt has written its first object: before that there is
nothing that could be half there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from house import MADE_BY, VERBS, House
from regatta.lake.audit import audit

pytestmark = pytest.mark.timeout(3600)

KILLS = int(os.environ.get("REGATTA_KILLS", "1"))
SEED = int(os.environ.get("REGATTA_SEED", "20261126"))
AFTER_THE_FIRST_OBJECT = 0.6  # of the kills
READER = Path(__file__).parents[2] / "polling_reader.py"


@contextmanager
def watched(house: House) -> Iterator[dict[str, object]]:
    """A reader in a process of its own, for as long as the block lasts; what it saw is there afterwards."""
    seen: dict[str, object] = {}
    reader = subprocess.Popen(
        [sys.executable, str(READER), str(house.config)],
        env={**house.variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield seen
    finally:
        reader.send_signal(signal.SIGTERM)
        said, _ = reader.communicate()
        seen.update(json.loads(said))


def kill(house: House, verb: str, chance: Random) -> tuple[bool, str]:
    """Start the verb, and kill it with all its processes at an instant; whether it came in time, and when that was.

    A job that was done by then tells how long the next one will take.
    """
    first, took, content = house.usual[verb]
    after = chance.random() < AFTER_THE_FIRST_OBJECT
    share, before = chance.random(), house.objects()
    job = house.start(verb)
    begun = time.monotonic()
    if after:
        while house.objects() == before and job.poll() is None:
            time.sleep(0.1)
        now = time.monotonic()
        at, first = now + share * (took - first), now - begun
    else:
        at = begun + share * first
    while time.monotonic() < at and job.poll() is None:
        time.sleep(0.01)
    in_time, lasted = job.poll() is None, time.monotonic() - begun
    if in_time:
        os.killpg(job.pid, signal.SIGKILL)
    else:
        house.usual[verb] = (min(first, lasted), lasted, content)
    said, _ = job.communicate()
    phase = said.decode().strip().rpartition("\n")[2] or "none"
    objects = house.objects() - before
    return in_time, f"{verb} killed after {lasted:.1f} s and {objects} objects; its last word: {phase}"


@pytest.mark.parametrize("number", range(KILLS))
@pytest.mark.parametrize("verb", VERBS)
def test_a_job_that_is_killed_and_run_again_leaves_what_an_undisturbed_one_does(
    house: House, verb: str, number: int
) -> None:
    chance, in_time = Random(f"{SEED} {verb} {number}"), False
    while not in_time:
        for later in reversed(VERBS[VERBS.index(verb) :]):
            house.forget(later)
        with watched(house) as seen:
            in_time, what = kill(house, verb, chance)
            house.run(verb)
    print(f"seed {SEED}, {what}; a reader looked {seen['looks']} times")

    assert seen["wrong"] == [], what
    assert int(str(seen["looks"])) > 0
    assert house.content(verb) == house.usual[verb][2], what
    assert audit(house.lake).findings == (), what
    assert house.lake.store.uploads("") == []
    name = house.lake.use_case.use_case
    visible = [one.key for folder in MADE_BY[verb] for one in house.lake.store.objects(f"{name}/{folder}")]
    assert not [key for key in visible if "__magic" in key or "_temporary" in key]
