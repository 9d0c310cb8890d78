"""A Spark session and a lake, as jobs have them, for whoever sits before a notebook."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import SparkContext
from pyspark.sql import SparkSession

from regatta import config
from regatta.address import endpoint
from regatta.lake import Lake, Store
from regatta.notebook.sentences import teach
from regatta.runtime import cluster_secret
from regatta.runtime.identities import Identity
from regatta.runtime.installation import java
from regatta.runtime.job import await_executor
from regatta.runtime.local.embedded import environment
from regatta.runtime.local.servers import MINIO, lake_variables
from regatta.runtime.local.state import StateFolder
from regatta.runtime.submit import job_environment, package, project_root, settings, use_case_file


def session() -> SparkSession:
    """The session of this notebook: on the cluster while one is up (or REGATTA_MASTER), else on this machine.

    It reads the embedded lake as a reader, or one of the user's own by the credentials of the environment. Called
    again, it gives the same session back.

    Raises:
        InputError: Java is missing, or the lake refuses the credentials.
        Unreachable: there is no lake, or the cluster gives no executor.
    """
    teach()
    if SparkContext._gateway is None:
        java()
        os.environ.update(job_environment(Identity.READER))
        # A lake that does not answer is told now, and not by S3A after minutes.
        Store.from_environment().folders("")
        package(project_root() / "build" / "regatta.zip")
        os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*settings(), "pyspark-shell"])
    with _jvm_in_a_log():
        found = cluster_secret.given(SparkSession.builder.appName("regatta notebook")).getOrCreate()
    if not found.sparkContext.master.startswith("local"):
        await_executor(found)
    return found


def lake_of(name: str, identity: str | None = None) -> Lake:
    """What a use case has in the lake.

    Args:
        name: of a file in conf/, or a path to one.
        identity: by whose credentials, such as training's: a reader can write nothing. By default the environment's. A
            lake of the user's own knows no identities of ours, and is always reached by the environment's.

    Raises:
        InputError: there is no such file, or it is faulty.
    """
    teach()
    keys = environment(Identity.READER) if identity is None else _keys(Identity(identity))
    return Lake.of(config.load(use_case_file(name)), keys)


def _keys(identity: Identity) -> dict[str, str]:
    """An identity's credentials, if the lake of the environment is the embedded one; else none."""
    state = StateFolder()
    if MINIO.running(state) and endpoint() in (None, MINIO.address(state)):
        return lake_variables(state, identity)
    return {}


@contextmanager
def _jvm_in_a_log() -> Iterator[None]:
    """A JVM that is started now writes into the state folder's log instead of under the cell."""
    state = StateFolder()
    state.make()
    ours = os.dup(2)
    with state.log("notebook").open("ab") as sink:
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)
