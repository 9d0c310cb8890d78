"""Airflow as three servers of the embedded environment: its API and pages, its scheduler, its reader of DAG files.

It lives in an environment of its own (`make setup-airflow`), because its Spark provider brings a pyspark-client that
overwrites files of pyspark. What it needs of ours is on PATH: spark-submit and regatta.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from regatta.errors import InputError, Unreachable
from regatta.runtime.identities import Identity
from regatta.runtime.job_variables import job_variables
from regatta.runtime.local import ports
from regatta.runtime.local.servers import HOST, MASTER, MINIO, MLFLOW, Server, get, inherited, lake_variables
from regatta.runtime.local.state import StateFolder
from regatta.runtime.local.waiting import Heartbeat, Say

PROJECT = Path(__file__).resolve().parents[4]
LAKE_VARIABLES = (
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "REGATTA_LAKE",
)
_LAKE = "AIRFLOW_CONN_REGATTA_LAKE"
OF_TASKS = (Identity.TRAINING, Identity.SCORING, Identity.READER)
"""Whom tasks may be: nobody delivers or removes anything by a schedule."""


def environment(state: StateFolder) -> dict[str, str]:
    """Of every process of Airflow's. Secrets stand here, in connections, and in no DAG.

    What the user has set as AIRFLOW_... stays as it is.
    """
    address = API.address(state)
    home = state.root / "airflow"
    bundle = {
        "name": "use_cases",
        "classpath": "use_case_bundle.UseCaseBundle",
        "kwargs": {"refresh_interval": 30},
    }
    theirs = inherited()
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACKS": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "3",  # one Spark job at a time, and what tells people
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(state.port(ports.AIRFLOW.name)),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__SECRET_KEY": state.secret("airflow-pages"),
        "AIRFLOW__API_AUTH__JWT_SECRET": state.secret("airflow-tasks"),
        # Of 32 bytes; what it would encrypt, connections in the database, there are none.
        "AIRFLOW__CORE__FERNET_KEY": state.secret("airflow-database")[:43] + "=",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        **_lakes(state),
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps({"conn_type": "spark", "host": _master(state)}),
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), theirs.get("PATH", ""), str(_bin())])
    python_path = os.pathsep.join(str(PROJECT / folder) for folder in ("airflow/dags", "spark_apps"))
    jobs = job_variables()
    tracking = os.environ.get("MLFLOW_TRACKING_URI")
    if tracking or MLFLOW.running(state):
        jobs["MLFLOW_TRACKING_URI"] = tracking or MLFLOW.address(state)
    return {**ours, **theirs, **jobs, "PATH": path, "PYTHONPATH": python_path}


def prepare(state: StateFolder, say: Say) -> None:
    """Make or update Airflow's database, and the pool that all Spark jobs share.

    Raises:
        InputError: Airflow is not installed.
        Unreachable: its database cannot be made.
    """
    ports.assign(state, ports.AIRFLOW)
    (state.root / "airflow").mkdir(exist_ok=True)
    log = state.log("airflow-database")
    heartbeat = Heartbeat(say, "preparing Airflow's database")
    words = [_bin() / "python", PROJECT / "infra" / "airflow" / "database.py"]
    with log.open("ab") as sink:
        making = subprocess.Popen(
            words, env=environment(state), cwd=state.root / "work", stdout=sink, stderr=subprocess.STDOUT
        )
        while True:
            try:
                code = making.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                heartbeat.beat()
    if code:
        raise Unreachable("Airflow's database could not be made", place=str(log), way_out="look there")


def command_line(state: StateFolder, words: Sequence[str]) -> int:
    """Run `airflow ...` as one of the servers' own processes; its exit code.

    Raises:
        InputError: Airflow has never been up here.
    """
    if not (state.root / "airflow").is_dir():
        raise InputError("Airflow has never been up here", way_out="make airflow")
    return subprocess.run([_bin() / "airflow", *words], env=environment(state), check=False).returncode


def passwords(state: StateFolder) -> Path:
    """Where Airflow keeps the password that it made up for its user admin."""
    return state.root / "airflow" / "simple_auth_manager_passwords.json.generated"


def _bin() -> Path:
    folder = PROJECT / ".venv-airflow" / "bin"
    if not (folder / "airflow").is_file():
        raise InputError("Airflow is not installed", place=str(folder.parent), way_out="make setup-airflow")
    return folder


def _lakes(state: StateFolder) -> dict[str, str]:
    """The lake as connections: one with the keys of each identity that a task may be, or one of the user's own."""
    own = {name: os.environ[name] for name in LAKE_VARIABLES if os.environ.get(name)}
    if _LAKE in os.environ:
        return {}
    if "AWS_ENDPOINT_URL" in own or not MINIO.running(state):
        return {_LAKE: _connection(own)}
    lake = {name: value for name, value in own.items() if not name.startswith("AWS_")}
    return {
        f"{_LAKE}_{identity.upper()}": _connection({**lake, **lake_variables(state, identity)})
        for identity in OF_TASKS
    }


def _connection(told: Mapping[str, str]) -> str:
    extra = {
        "endpoint_url": told.get("AWS_ENDPOINT_URL"),
        "region_name": told.get("AWS_REGION"),
        "lake": told.get("REGATTA_LAKE"),
        "session_token": told.get("AWS_SESSION_TOKEN"),
    }
    return json.dumps(
        {
            "conn_type": "aws",
            "login": told.get("AWS_ACCESS_KEY_ID"),
            "password": told.get("AWS_SECRET_ACCESS_KEY"),
            "extra": {name: value for name, value in extra.items() if value},
        }
    )


def _master(state: StateFolder) -> str:
    return os.environ.get("REGATTA_MASTER") or MASTER.address(state)


def _health(state: StateFolder) -> Mapping[str, Mapping[str, str]]:
    answer = get(f"{API.address(state)}/api/v2/monitor/health")
    return json.loads(answer) if answer else {}


def _server(name: str, part: str, *flags: str) -> Server:
    """The server of `airflow NAME`, ready when the API calls that part of Airflow healthy."""
    return Server(
        name=f"airflow-{name}",
        port=ports.AIRFLOW if part == "metadatabase" else None,
        scheme="http",
        launch=lambda state, say: ([_bin() / "airflow", name, *flags], environment(state)),
        is_ready=lambda state: _health(state).get(part, {}).get("status") == "healthy",
    )


API = _server("api-server", "metadatabase")
SCHEDULER = _server("scheduler", "scheduler", "--skip-serve-logs")  # the API reads the logs where they are
DAG_PROCESSOR = _server("dag-processor", "dag_processor")
ALL = (API, SCHEDULER, DAG_PROCESSOR)
