"""Jobs are killed at the points where it would hurt most: around their commit, their record and their copies.

A proxy between job and lake knows the point by the request that is made there. `make test-faults` runs these.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pytest

from house import VERBS, House, assert_as_undisturbed, watched
from proxy import Request, proxy_of

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults"),
]


@dataclass(frozen=True)
class Point:
    """A request by which a point is known, and whether the lake still gets it."""

    is_here: Callable[[str, Request], bool]
    arrives: bool


def put(ending: str) -> Callable[[str, Request], bool]:
    return lambda line, request: line.startswith("PUT ") and line.split(" ")[1].split("?")[0].endswith(ending)


def copies(line: str, request: Request) -> bool:
    return b"x-amz-copy-source" in request.lower() and "/_attempts/" not in line


POINTS = {
    "before the job commit": Point(put(".pendingset"), arrives=False),
    "within the job commit": Point(
        lambda line, _: line.startswith("POST ") and "uploadId=" in line, arrives=True
    ),
    "after the job commit": Point(put("/_SUCCESS"), arrives=True),
    "before its record": Point(put("/_record.json"), arrives=False),
    "after its record": Point(put("/_record.json"), arrives=True),
    "amid its copies": Point(copies, arrives=True),
    "after its copies": Point(copies, arrives=True),
}
OF_PROMOTE = {
    "before its entry": Point(put("/champion/00000001.json"), arrives=False),
    "after its entry": Point(put("/champion/00000001.json"), arrives=True),
}
CASES = [(verb, point) for verb in VERBS for point in (OF_PROMOTE if verb == "promote" else POINTS)]


@pytest.mark.parametrize(("verb", "point"), CASES)
def test_a_job_that_is_killed_there_and_run_again_leaves_what_an_undisturbed_one_does(
    house: House, verb: str, point: str
) -> None:
    chosen = (POINTS | OF_PROMOTE)[point]
    if point == "after its copies":
        house.run(verb)
    due = made_by(house, verb) if point == "after its copies" else 1
    for later in reversed(VERBS[VERBS.index(verb) :]):
        house.forget(later)
    with proxy_of(house.variables["AWS_ENDPOINT_URL"]) as proxy, watched(house, 0.1) as seen:
        through = replace(house, variables={**house.variables, "AWS_ENDPOINT_URL": proxy.address})
        came, lock = 0, threading.Lock()
        job = through.start(verb)

        def killed_here(request: Request) -> bool:
            nonlocal came
            line = unquote(request.partition(b"\r\n")[0].decode())
            with lock:
                came += chosen.is_here(line, request)
                if came < due or not chosen.is_here(line, request):
                    return False
                with suppress(ProcessLookupError):  # by an earlier request of the same kind
                    os.killpg(job.pid, signal.SIGKILL)
                return True

        if chosen.arrives:
            proxy.loses = killed_here
        else:
            proxy.swallows = killed_here
        said, _ = job.communicate()
        assert job.returncode == -signal.SIGKILL, said.decode()
        house.run(verb)
    print(f"{verb} killed {point}; a reader looked {seen['looks']} times")

    assert seen["wrong"] == []
    assert_as_undisturbed(house, verb, point)


def made_by(house: House, verb: str) -> int:
    """How many files the verb makes visible."""
    folders = {"ingest": "accepted/", "train": "runs/", "score": "scores/"}
    records = house.lake.publications().items()
    return sum(len(record.files) for folder, record in records if folder.startswith(folders[verb]))
