"""Jobs are killed at the points where it would hurt most: around their commit, their record and their copies.

A proxy between job and lake knows the point by the request that is made there. `make test-faults` runs these.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pytest
from mlflow import MlflowClient

from house import VERBS, House, assert_as_undisturbed, watched
from proxy import Proxy, Request, proxy_of
from regatta.evaluation.runs import runs

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


BEFORE_MLFLOW = {
    "before its race is told": ("train", "/runs/log-batch"),
    "before its model is registered": ("train", "/registered-models/create"),
    "before the alias": ("promote", "/registered-models/alias"),
}


@dataclass
class Killer:
    """Kills a job at its request, before that one's answer arrives, and lets all others pass.

    Attributes:
        point: by which the request is known.
        due: it is the one of so many of its kind.
        job: to be killed, once it has been started.
    """

    point: Point
    due: int = 1
    job: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self._came, self._lock = 0, threading.Lock()

    def attach(self, proxy: Proxy) -> None:
        """Watch what comes by the proxy."""
        if self.point.arrives:
            proxy.loses = self._kills
        else:
            proxy.swallows = self._kills

    def _kills(self, request: Request) -> bool:
        line = unquote(request.partition(b"\r\n")[0].decode())
        with self._lock:
            here = self.point.is_here(line, request)
            self._came += here
            if self._came < self.due or not here:
                return False
            assert self.job is not None
            with suppress(ProcessLookupError):  # by an earlier request of the same kind
                os.killpg(self.job.pid, signal.SIGKILL)
            return True


@pytest.mark.parametrize(("verb", "point"), CASES)
def test_a_job_that_is_killed_there_and_run_again_leaves_what_an_undisturbed_one_does(
    house: House, verb: str, point: str
) -> None:
    chosen = (POINTS | OF_PROMOTE)[point]
    if point == "after its copies":
        house.run(verb)
    killer = Killer(chosen, due=made_by(house, verb) if point == "after its copies" else 1)
    for later in reversed(VERBS[VERBS.index(verb) :]):
        house.forget(later)
    with proxy_of(house.variables["AWS_ENDPOINT_URL"]) as proxy, watched(house, 0.1) as seen:
        killer.attach(proxy)
        assert_killed(killer, house, verb, AWS_ENDPOINT_URL=proxy.address)
        house.run(verb)
    print(f"{verb} killed {point}; a reader looked {seen['looks']} times")

    assert seen["wrong"] == []
    assert_as_undisturbed(house, verb, point)


@pytest.mark.parametrize("point", BEFORE_MLFLOW)
def test_a_job_that_is_killed_between_publication_and_mlflow_and_run_again_tells_mlflow(
    house: House, mlflow_uri: str, point: str
) -> None:
    verb, ending = BEFORE_MLFLOW[point]
    name, client = house.lake.use_case.use_case, MlflowClient(mlflow_uri)
    told = replace(house, variables={**house.variables, "MLFLOW_TRACKING_URI": mlflow_uri})
    for later in reversed(VERBS[VERBS.index("train") :]):
        house.forget(later)
    forget_in_mlflow(client, name)
    if verb == "promote":
        told.run("train")

    def is_here(line: str, _: Request) -> bool:
        return line.split(" ")[1].endswith(ending) and published(house, verb)

    killer = Killer(Point(is_here, arrives=False))
    with proxy_of(mlflow_uri) as proxy, watched(house, 0.1) as seen:
        killer.attach(proxy)
        assert_killed(killer, house, verb, MLFLOW_TRACKING_URI=proxy.address)
        told.run(verb)
    print(f"{verb} killed {point}; a reader looked {seen['looks']} times")

    assert seen["wrong"] == []
    assert_as_undisturbed(house, verb, point)
    (trained,) = runs(house.lake)
    experiment = client.get_experiment_by_name(name).experiment_id
    ended = [
        one.info.status
        for one in client.search_runs([experiment], f"tags.mlflow.runName = '{trained.run_id}'")
    ]
    assert ended.count("FINISHED") == 1
    assert "RUNNING" not in ended
    (version,) = client.search_model_versions(f"name = '{name}' and tags.run_id = '{trained.run_id}'")
    if verb == "promote":
        assert client.get_model_version_by_alias(name, "champion").version == version.version
    for later in VERBS[VERBS.index(verb) + 1 :]:
        house.run(later)  # as it was found


def forget_in_mlflow(client: MlflowClient, name: str) -> None:
    """Trainings of the same rows, which would have the same id."""
    if experiment := client.get_experiment_by_name(name):
        for one in client.search_runs([experiment.experiment_id]):
            client.delete_run(one.info.run_id)
        client.delete_registered_model(name)


def published(house: House, verb: str) -> bool:
    """Whether the verb's work is there for readers."""
    return bool(house.lake.champions.entries() if verb == "promote" else runs(house.lake))


def assert_killed(killer: Killer, house: House, verb: str, **variables: str) -> None:
    """Start the verb with other variables, and see it die of the killer."""
    killer.job = replace(house, variables={**house.variables, **variables}).start(verb)
    said, _ = killer.job.communicate()
    assert killer.job.returncode == -signal.SIGKILL, said.decode()


def made_by(house: House, verb: str) -> int:
    """How many files the verb makes visible."""
    folders = {"ingest": "accepted/", "train": "runs/", "score": "scores/"}
    records = house.lake.publications().items()
    return sum(len(record.files) for folder, record in records if folder.startswith(folders[verb]))
