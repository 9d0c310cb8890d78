"""The secret that a Spark cluster asks of its workers, jobs and executors (`spark.authenticate`).

It goes from one process to the next by the environment, and into a session by its own configuration, which Spark
redacts where it shows it. It never stands on a command line.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that start servers need not wait for it
    from pyspark.sql import SparkSession

SECRET = "REGATTA_SPARK_SECRET"
"""Shared by a cluster and all who may use it; a cluster asks for none where it is not set."""


def of_daemons() -> tuple[dict[str, str], list[str]]:
    """Variables and Java options by which a master or worker asks for it."""
    secret = os.environ.get(SECRET)
    return ({"_SPARK_AUTH_SECRET": secret}, ["-Dspark.authenticate=true"]) if secret else ({}, [])


def of_jobs() -> dict[str, str]:
    """Variables of whoever starts jobs."""
    secret = os.environ.get(SECRET)
    return {SECRET: secret} if secret else {}


def given(builder: SparkSession.Builder) -> SparkSession.Builder:
    """A session that is let in."""
    if secret := os.environ.get(SECRET):
        return builder.config("spark.authenticate", "true").config("spark.authenticate.secret", secret)
    return builder
