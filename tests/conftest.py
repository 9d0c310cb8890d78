"""The one Spark session that all unit tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql import SparkSession
from xdist.scheduler import LoadScopeScheduling

from regatta.runtime.class_archive import java_options


def pytest_configure(config: pytest.Config) -> None:
    # For every JVM that a test starts. The second compiler costs more than minutes of small jobs can win back. Without
    # it the code cache is 48 MB: a session fills that in a minute, and from then on nothing is compiled at all.
    os.environ["SPARK_SUBMIT_OPTS"] = (
        f"-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m {java_options()}"
    )
    # collect() leaves the socket by which rows come back to the garbage collector, here where warnings are errors
    config.addinivalue_line(
        "filterwarnings", r"ignore:unclosed <socket\.socket.*127\.0\.0\.1:ResourceWarning"
    )


class ByFolder(LoadScopeScheduling):
    """For `-n 4`: a process for the unit tests and their Spark session, one for the lake, one for jobs, one for Airflow."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        return file.rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    return ByFolder(config, log)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable  # workers with the same packages as the tests
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    warehouse = tmp_path_factory.mktemp("warehouse")
    session = (
        SparkSession.builder.appName("regatta unit tests")
        .master("local[2]")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(warehouse))
        .config(
            "spark.driver.extraJavaOptions",
            f"-Dderby.system.home={warehouse} -Duser.timezone=UTC -XX:+UseParallelGC",
        )
        .getOrCreate()
    )
    yield session
    session.stop()
