"""Whole jobs whose lake goes away in their midst: they wait and say so, or end with 4, and what they leave is whole.

`make test-faults` runs these, since they wait as long as the lake is away; REGATTA_SEED draws other instants.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest

from house import VERBS, House, build
from machine import free_ports, of_the_tests
from proxy import Proxy, proxy_of
from regatta.errors import ExitCode
from regatta.lake.audit import audit
from regatta.runtime.local import embedded, ports
from regatta.runtime.local.state import StateFolder

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif("REGATTA_KILLS" not in os.environ, reason="takes long: make test-faults"),
]

SEED = int(os.environ.get("REGATTA_SEED", "20261126"))
AWAY = 30.0  # seconds
LIMIT = 900.0  # seconds that a job may take to give up
TOLD = "does not answer"


@dataclass(frozen=True)
class Troubled:
    """A house on a MinIO of its own, which its jobs reach through a proxy."""

    house: House
    proxy: Proxy
    state: dict[str, str]

    def away(self, mode: str) -> None:
        self.proxy.mode = mode
        time.sleep(AWAY)
        self.proxy.mode = "pass"

    def killed(self) -> None:
        with of_the_tests(self.state):
            minio = StateFolder().process("minio")
            assert minio is not None
            os.kill(minio.pid, signal.SIGKILL)
            while minio.is_running:
                time.sleep(0.01)
            time.sleep(AWAY / 3)
            embedded.up(mlflow=False, say=print)


FAULTS: dict[str, Callable[[Troubled], None]] = {
    "busy": lambda troubled: troubled.away("busy"),
    "refuses": lambda troubled: troubled.away("refuse"),
    "hangs": lambda troubled: troubled.away("hang"),
    "is killed": Troubled.killed,
}


@pytest.fixture(scope="module")
def troubled(
    lake_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Troubled]:
    """Everything has been run once, undisturbed."""
    numbers = free_ports(2)
    state = {
        "REGATTA_HOME": str(tmp_path_factory.mktemp("away")),
        ports.S3.variable: str(numbers[0]),
        ports.S3_CONSOLE.variable: str(numbers[1]),
    }
    try:
        with of_the_tests(state):
            environment = embedded.up(mlflow=False, say=print)
        house = build("away", tmp_path_factory.mktemp("house"), environment)
        with proxy_of(environment["AWS_ENDPOINT_URL"]) as proxy:
            through = {**house.variables, "AWS_ENDPOINT_URL": proxy.address}
            yield Troubled(replace(house, variables=through), proxy, state)
    finally:
        with of_the_tests(state):
            embedded.down(say=print)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_job_whose_lake_goes_away_goes_on_or_ends_with_4_and_nothing_is_lost(
    troubled: Troubled, fault: str, verb: str
) -> None:
    house, chance = troubled.house, Random(f"{SEED} {fault} {verb}")
    for later in reversed(VERBS[VERBS.index(verb) :]):
        house.forget(later)
    _, took, content = house.usual[verb]
    instant = chance.uniform(0.3, 0.7) * took  # later, and a job that is quicker than usual has ended by then
    began = time.monotonic()
    job = house.start(verb)
    disturbing = threading.Timer(instant, FAULTS[fault], [troubled])
    disturbing.start()
    said = heard(job)
    seconds = time.monotonic() - began
    disturbing.join()

    print(
        f"seed {SEED}, {verb}, the lake {fault} {instant:.1f} s after it began (usual {took:.0f} s): "
        f"ended with {job.returncode} after {seconds:.0f} s"
    )
    assert job.returncode in (ExitCode.DONE, ExitCode.UNREACHABLE), said
    assert "Traceback" not in said
    if seconds > instant + AWAY / 2:
        assert TOLD in said
    if job.returncode != ExitCode.DONE:
        house.run(verb)
    assert house.content(verb) == content
    assert audit(house.lake).findings == ()
    pending = [upload.key for upload in house.lake.store.uploads("")]
    assert [key for key in pending if "/_attempts/" not in key] == []


def heard(job: subprocess.Popen[bytes]) -> str:
    """What it said until it ended, within the limit."""
    try:
        said, _ = job.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, signal.SIGKILL)
        said, _ = job.communicate()
        pytest.fail(f"not done after {LIMIT:.0f} s: {said.decode()}")
    return said.decode()
