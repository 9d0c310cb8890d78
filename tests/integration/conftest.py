"""The real servers, one set for all integration tests: a lake, and on demand MLflow and a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession

from house import House, build
from machine import free_ports, of_the_tests
from regatta.runtime.local import embedded, ports
from regatta.runtime.local.state import StateFolder

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def server_variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A state folder and ports that nobody else uses; whoever sets these is a user of the tests' servers."""
    every = (ports.S3, ports.S3_CONSOLE, ports.MLFLOW, ports.SPARK, ports.SPARK_UI)
    return {
        "REGATTA_HOME": str(tmp_path_factory.mktemp("regatta")),
        "REGATTA_EXECUTOR_MEMORY": "1g",
        **{port.variable: str(number) for port, number in zip(every, free_ports(len(every)), strict=True)},
    }


@pytest.fixture(scope="session")
def lake_environment(server_variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """A running MinIO with an empty bucket, as the variables by which jobs reach it."""
    try:
        with of_the_tests(server_variables):
            variables = embedded.up(mlflow=False, say=print)
        yield {"REGATTA_HOME": server_variables["REGATTA_HOME"], **variables}
    finally:
        with of_the_tests(server_variables):
            embedded.down(say=print)


@pytest.fixture
def own_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lake_environment: dict[str, str]
) -> Iterator[StateFolder]:
    """An empty state folder of this test alone, on ports of its own; the tests' lake proves MinIO is built."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MLFLOW_TRACKING_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REGATTA_HOME", str(tmp_path / "state"))
    for port, number in zip((ports.S3, ports.S3_CONSOLE), free_ports(2), strict=True):
        monkeypatch.setenv(port.variable, str(number))
    yield StateFolder()
    embedded.down(say=print)


@pytest.fixture
def in_the_lake(lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For the length of a test its own process reaches the lake as jobs do."""
    for name, value in lake_environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def house(lake_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> House:
    """A very small use case of which every verb has been run once, undisturbed; tests leave it as they find it."""
    return build("kills", tmp_path_factory.mktemp("kills"), lake_environment)


@pytest.fixture(scope="session")
def mlflow_uri(lake_environment: dict[str, str], server_variables: dict[str, str]) -> str:
    """A running MLflow whose artifacts stand in the tests' lake."""
    with of_the_tests(server_variables):
        return embedded.up(say=print)["MLFLOW_TRACKING_URI"]


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with pyspark and all libraries, in which this package cannot be imported."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (libraries,) = folder.glob("lib/python*/site-packages")
    theirs = next(path for path in sys.path if path.endswith("site-packages"))
    (libraries / "libraries.pth").write_text(f"{theirs}\n")  # a path's own .pth files are not read
    python = folder / "bin" / "python"
    failed = subprocess.run(
        [python, "-c", "import pyspark; import regatta"], capture_output=True, text=True, check=False
    )
    assert "No module named 'regatta'" in failed.stderr
    return python


@pytest.fixture(scope="session")
def spark_cluster(
    lake_environment: dict[str, str],
    server_variables: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """A running Spark master with two workers of one core and 1 GB, as the variables by which jobs reach it.

    It has a state folder of its own: jobs take the cluster of theirs as soon as one is up, and most tests are not
    meant to run on it.
    """
    apart = {
        **server_variables,
        **lake_environment,
        "REGATTA_HOME": str(tmp_path_factory.mktemp("cluster")),
        "JDK_JAVA_OPTIONS": os.environ["SPARK_SUBMIT_OPTS"],  # for the executors, which its workers start
    }
    try:
        with of_the_tests(apart):
            variables = embedded.up(cluster=True, say=print)
        yield {"REGATTA_HOME": apart["REGATTA_HOME"], **variables}
    finally:
        with of_the_tests(apart):
            embedded.down(say=print)


@pytest.fixture(scope="session")
def lake_spark(
    lake_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SparkSession]:
    """A session that is configured as every job's is, and reads and writes the tests' lake.

    A JVM takes its jars and the lake's address when it starts, so it must not have been started without them.
    """
    assert SparkContext._gateway is None, (
        "run tests/integration before tests/unit, or in a process of their own"
    )
    warehouse = tmp_path_factory.mktemp("warehouse")
    settings = REPOSITORY / "conf" / "spark-defaults.conf"
    machine = {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {settings} --conf spark.jars.packages= pyspark-shell",
    }
    with of_the_tests(lake_environment | machine):
        session = (
            SparkSession.builder.appName("regatta integration tests")
            .master("local[2]")
            .config("spark.driver.memory", "1g")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
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
