"""A Spark session and a lake, as jobs have them, for whoever sits before a notebook."""

from __future__ import annotations

import os
import shlex

from pyspark import SparkContext
from pyspark.sql import SparkSession

from regatta import config
from regatta.lake import Lake, Store
from regatta.notebook.sentences import teach
from regatta.runtime.installation import java
from regatta.runtime.job import await_executor
from regatta.runtime.local.embedded import environment
from regatta.runtime.submit import job_environment, package, project_root, settings, use_case_file


def session() -> SparkSession:
    """The session of this notebook: on the cluster while one is up (or REGATTA_MASTER), else on this machine.

    It reads the lake by the credentials of the environment, which `regatta notebook` has set. Called again, it gives
    the same session back.

    Raises:
        InputError: Java is missing, or the lake refuses the credentials.
        Unreachable: there is no lake, or the cluster gives no executor.
    """
    teach()
    if SparkContext._gateway is None:
        java()
        os.environ.update(job_environment())
        # A lake that does not answer is told now, and not by S3A after minutes.
        Store.from_environment().folders("")
        package(project_root() / "build" / "regatta.zip")
        os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*settings(), "pyspark-shell"])
    found = SparkSession.builder.appName("regatta notebook").getOrCreate()
    if not found.sparkContext.master.startswith("local"):
        await_executor(found)
    return found


def lake_of(name: str, identity: str = "reader") -> Lake:
    """What a use case has in the lake.

    Args:
        name: of a file in conf/, or a path to one.
        identity: whose credentials are used; a reader can write nothing.

    Raises:
        InputError: there is no such file, or it is faulty.
    """
    teach()
    os.environ.update(environment())
    return Lake.of(config.load(use_case_file(name)))
