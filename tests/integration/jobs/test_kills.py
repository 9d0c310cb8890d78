"""Jobs are killed at random instants, beside a reader that looks all the time, and run again.

REGATTA_KILLS sets how often each verb is killed: once in `make test`, twenty times in `make test-faults`;
REGATTA_SEED draws other instants. Three in five lie after the attempt has written its first object: before that there is
nothing that could be half there.
"""

from __future__ import annotations

import os
import signal
import time
from random import Random

import pytest

from house import VERBS, House, assert_as_undisturbed, watched

pytestmark = pytest.mark.timeout(3600)

KILLS = int(os.environ.get("REGATTA_KILLS", "1"))
SEED = int(os.environ.get("REGATTA_SEED", "20261126"))
AFTER_THE_FIRST_OBJECT = 3  # of five kills
LOOKS_EVERY = 0.1 if KILLS > 1 else 0.5  # seconds: the more a reader looks, the longer all takes on two cores


def kill(house: House, verb: str, chance: Random, *, after: bool) -> tuple[bool, str]:
    """Start the verb, and kill it with all its processes at an instant; whether it came in time, and when that was.

    It lies before the attempt's first object, or `after` it.
    A job that was done by then tells how long the next one will take.
    """
    first, took, content = house.usual[verb]
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
        with watched(house, LOOKS_EVERY) as seen:
            in_time, what = kill(house, verb, chance, after=number % 5 < AFTER_THE_FIRST_OBJECT)
            house.run(verb)
        assert seen["wrong"] == [], what
    print(f"seed {SEED}, {what}; a reader looked {seen['looks']} times")

    assert int(str(seen["looks"])) > 0
    assert_as_undisturbed(house, verb, what)
