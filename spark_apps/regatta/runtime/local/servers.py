"""The servers of an embedded environment: how each is started, where it answers, when it is ready."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regatta.address import lake_root
from regatta.errors import Unreachable
from regatta.runtime import cluster_secret
from regatta.runtime.class_archive import java_options
from regatta.runtime.identities import REGION, Identity
from regatta.runtime.installation import java, spark_home
from regatta.runtime.local import ports
from regatta.runtime.local.minio_binary import minio_binary
from regatta.runtime.local.processes import Process, end, start
from regatta.runtime.local.state import StateFolder
from regatta.runtime.local.waiting import Heartbeat, Say
from regatta.runtime.memory import executor_memory

HOST = "127.0.0.1"
WORKERS = 2

# A server gets what it needs and nothing that would configure it behind our back; no secret it does not use.
_NOT_INHERITED = ("AWS_", "MINIO_", "MLFLOW_", "SPARK_", "PYSPARK_", cluster_secret.SECRET)


@dataclass(frozen=True)
class Server:
    """One server of the embedded environment.

    Args:
        name: of its pid file, its log and its line in `regatta status`.
        port: whose number makes its address; None for a worker, which nobody calls.
        scheme: of its address.
        launch: assigns ports and gives command and environment; called only when the server is to be started.
        is_ready: whether it answers; called with ports assigned.
        patience: seconds it may take to get ready: MLflow and Spark need 6, and many times that on a busy machine.
    """

    name: str
    port: ports.Port | None
    scheme: str
    launch: Callable[[StateFolder, Say], tuple[list[str | Path], dict[str, str]]]
    is_ready: Callable[[StateFolder], bool]
    patience: float = 180

    def address(self, state: StateFolder) -> str:
        """Where it answers, or would: empty before its first start."""
        number = state.port(self.port.name) if self.port else None
        return f"{self.scheme}://{HOST}:{number}" if number else ""

    def running(self, state: StateFolder) -> Process | None:
        """Its process, if it is ours and lives."""
        process = state.process(self.name)
        return process if process and process.is_running else None

    def begin(self, state: StateFolder, say: Say) -> None:
        """Start it, without waiting for it; what is left of one that was killed is ended before."""
        if before := state.process(self.name):
            end(before)
        command, environment = self.launch(state, say)
        process = start(command, environment=environment, log=state.log(self.name), cwd=state.root / "work")
        state.record(self.name, process)

    def await_ready(self, state: StateFolder, say: Say) -> None:
        """Wait until it answers.

        Raises:
            Unreachable: it ended, or does not answer in time.
        """
        heartbeat = Heartbeat(say, f"waiting for {self.name}")
        deadline = time.monotonic() + self.patience
        while not self.is_ready(state):
            log = state.log(self.name)
            if not self.running(state):
                raise Unreachable(f"{self.name} ended as it started: {_last_line(log)}", place=str(log))
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"{self.name} does not answer after {self.patience:.0f} s",
                    place=str(log),
                    way_out="look there",
                )
            heartbeat.beat()
            time.sleep(0.1)


def _launch_minio(state: StateFolder, say: Say) -> tuple[list[str | Path], dict[str, str]]:
    binary = minio_binary(say)
    address = f"{HOST}:{ports.assign(state, ports.S3)}"
    console = f"{HOST}:{ports.assign(state, ports.S3_CONSOLE)}"
    account = state.credentials()
    environment = {
        **inherited(),
        "MINIO_ROOT_USER": account.access_key,
        "MINIO_ROOT_PASSWORD": account.secret_key,
        "MINIO_BROWSER": "on",
        "MINIO_UPDATE": "off",
        "MINIO_CALLHOME_ENABLE": "off",
    }
    data = state.root / "minio"
    return [
        binary, "server", data, "--address", address, "--console-address", console, "--quiet", "--anonymous"
    ], environment  # fmt: skip


def _launch_mlflow(state: StateFolder, _say: Say) -> tuple[list[str | Path], dict[str, str]]:
    number = ports.assign(state, ports.MLFLOW)
    environment = {
        **inherited(),
        **lake_variables(state, Identity.TRACKING),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 0.5 GB instead of 2
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    artifacts = f"{lake_root().replace('s3a://', 's3://', 1)}/mlflow"
    return [
        sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(number), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{state.root / 'mlflow.db'}",
        "--artifacts-destination", artifacts, "--serve-artifacts",
    ], environment  # fmt: skip


def _launch_master(state: StateFolder, _say: Say) -> tuple[list[str | Path], dict[str, str]]:
    port, ui = ports.assign(state, ports.SPARK), ports.assign(state, ports.SPARK_UI)
    environment = _spark_environment() | {"SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false"}
    return [
        _spark_class(), "org.apache.spark.deploy.master.Master",
        "--host", HOST, "--port", str(port), "--webui-port", str(ui),
    ], environment  # fmt: skip


def _launch_worker(state: StateFolder, _say: Say) -> tuple[list[str | Path], dict[str, str]]:
    environment = _spark_environment() | {
        "SPARK_WORKER_DIR": str(state.root / "work"),
        # Every application leaves a copy of its jars in the worker's folder.
        "SPARK_WORKER_OPTS": "-Dspark.worker.cleanup.enabled=true",
    }
    return [
        _spark_class(), "org.apache.spark.deploy.worker.Worker", "--host", HOST, "--webui-port", "0",
        "--cores", "1", "--memory", executor_memory(), MASTER.address(state),
    ], environment  # fmt: skip


def lake_variables(state: StateFolder, identity: Identity) -> dict[str, str]:
    """What a client of the embedded lake needs in its environment, to be one of those who may do something there.

    Raises:
        InputError: the lake was last started by a version that knew of no identities.
    """
    account = state.identity(identity)
    return {
        "AWS_ENDPOINT_URL": MINIO.address(state),
        "AWS_ACCESS_KEY_ID": account.access_key,
        "AWS_SECRET_ACCESS_KEY": account.secret_key,
        "AWS_REGION": REGION,
    }


def _spark_class() -> Path:
    java()
    return spark_home() / "bin/spark-class"


def _spark_environment() -> dict[str, str]:
    secret, options = cluster_secret.of_daemons()
    return {
        **inherited(),
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_DAEMON_JAVA_OPTS": " ".join([java_options(), *options]),
        # Executors run this environment's Python and not the first on PATH.
        "PYSPARK_PYTHON": sys.executable,
        **secret,
    }


def inherited() -> dict[str, str]:
    """Of our environment, what configures no server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}


def _worker(number: int) -> Server:
    return Server(
        name=f"spark-worker-{number}",
        port=None,
        scheme="",
        launch=_launch_worker,
        is_ready=lambda state: (_living_workers(state) or 0) >= number,
    )


def _living_workers(state: StateFolder) -> int | None:
    """How many workers the master counts, None while it does not answer."""
    answer = get(f"http://{HOST}:{state.port(ports.SPARK_UI.name)}/json/")
    return int(json.loads(answer)["aliveworkers"]) if answer else None


def _answers(url: str) -> bool:
    return get(url) is not None


def get(url: str) -> bytes | None:
    """What a server of this machine answers; None where it does not."""
    # A proxy in the environment is not meant for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bytes(response.read())
    except (OSError, urllib.error.URLError):
        return None


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "without a word"


MINIO: Server = Server(
    name="minio",
    port=ports.S3,
    scheme="http",
    launch=_launch_minio,
    is_ready=lambda state: _answers(f"{MINIO.address(state)}/minio/health/ready"),
)
MLFLOW: Server = Server(
    name="mlflow",
    port=ports.MLFLOW,
    scheme="http",
    launch=_launch_mlflow,
    is_ready=lambda state: _answers(f"{MLFLOW.address(state)}/health"),
)
MASTER: Server = Server(
    name="spark-master",
    port=ports.SPARK,
    scheme="spark",
    launch=_launch_master,
    is_ready=lambda state: _living_workers(state) is not None,
)
SPARK_WORKERS = tuple(_worker(n) for n in range(1, WORKERS + 1))
ALL = (MINIO, MLFLOW, MASTER, *SPARK_WORKERS)
