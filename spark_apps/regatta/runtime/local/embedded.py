"""Lake, MLflow and Spark cluster as processes of this machine: up, down, what runs, how jobs reach it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regatta.address import endpoint, lake_root
from regatta.runtime.identities import Identity, establish
from regatta.runtime.local import airflow as airflow_servers
from regatta.runtime.local import jupyter, ports, servers
from regatta.runtime.local.processes import end
from regatta.runtime.local.servers import Server
from regatta.runtime.local.state import StateFolder
from regatta.runtime.local.waiting import Say


@dataclass(frozen=True)
class ServerStatus:
    """One server, as `regatta status` shows it: up, not answering, or down and then without a pid."""

    name: str
    state: str
    pid: int | None
    address: str
    log: Path


ALL = (*servers.ALL, *airflow_servers.ALL, jupyter.JUPYTER)


def up(
    *,
    say: Say,
    cluster: bool = False,
    airflow: bool = False,
    notebook: bool = False,
    mlflow: bool = True,
    await_mlflow: bool = True,
) -> dict[str, str]:
    """Start what does not run yet, and wait until everything answers.

    A lake of the user's own (AWS_ENDPOINT_URL) is used as it is: neither MinIO nor MLflow is started then.

    Args:
        say: told what is started, found or waited for; never silent for more than 5 seconds.
        cluster: also a Spark master and its workers.
        airflow: also Airflow, and the cluster unless REGATTA_MASTER names one.
        notebook: also JupyterLab.
        mlflow: also MLflow, unless MLFLOW_TRACKING_URI names one.
        await_mlflow: whether it must answer already: it takes the longest, and only a training needs it.

    Returns:
        `environment(Identity.ADMIN)` as it is now.

    Raises:
        InputError: Java, Airflow or JupyterLab is missing, a chosen port is occupied, there is no room to build MinIO.
        Unreachable: a server does not get ready.
    """
    state = StateFolder()
    with state.locked(say):
        own_lake = endpoint()
        if own_lake:
            say(f"AWS_ENDPOINT_URL is set: {own_lake} is the lake, and no server is started for it")
        else:
            tracking = os.environ.get("MLFLOW_TRACKING_URI")
            if mlflow and tracking:
                say(f"MLFLOW_TRACKING_URI is set: {tracking} is used")
            # MinIO first: MLflow is told its address.
            _start([servers.MINIO], state, say)
            _establish(state)
            if mlflow and not tracking:
                _start([servers.MLFLOW], state, say, wait=await_mlflow)
        if cluster or (airflow and not os.environ.get("REGATTA_MASTER")):
            if not servers.MASTER.running(state):
                for (
                    orphan
                ) in servers.SPARK_WORKERS:  # of a master that is gone: they would look for it in vain
                    _stop(orphan, state, say)
            _start([servers.MASTER], state, say)
            _start(servers.SPARK_WORKERS, state, say)
        if airflow:
            if not airflow_servers.API.running(state):
                airflow_servers.prepare(state, say)
            _start(airflow_servers.ALL, state, say)
        if notebook:
            _start([jupyter.JUPYTER], state, say)
    return environment(Identity.ADMIN)


def await_mlflow(*, say: Say) -> None:
    """Wait until the MLflow that `up` began here answers; there may be none.

    Raises:
        Unreachable: it does not get ready.
    """
    state = StateFolder()
    if servers.MLFLOW.running(state):
        _start([servers.MLFLOW], state, say)


def down(*, say: Say) -> None:
    """End the servers that `up` started here, and their children. Their data stays."""
    state = StateFolder()
    with state.locked(say):
        ended = [server.name for server in reversed(ALL) if _stop(server, state, say)]
    if not ended:
        say("nothing is up")


def status() -> list[ServerStatus]:
    """Every server there can be, whether it runs or not."""
    state = StateFolder()
    return [_status(server, state) for server in ALL]


def environment(identity: Identity) -> dict[str, str]:
    """The variables by which processes reach what is up here; to be laid over `os.environ`.

    What the user set stays: MLFLOW_TRACKING_URI and REGATTA_MASTER each, and a lake as a whole, since the
    keys of one lake are worth nothing at the address of another.

    Args:
        identity: whose keys to the embedded lake. A lake of the user's own is reached with the user's own keys.

    Raises:
        InputError: the lake was last started by a version that knew of no identities.
    """
    state = StateFolder()
    variables = addresses()
    if servers.MINIO.running(state) and not os.environ.get("AWS_ENDPOINT_URL"):
        variables |= servers.lake_variables(state, identity)
        if "AWS_SESSION_TOKEN" in os.environ:
            variables["AWS_SESSION_TOKEN"] = ""  # it belongs to other keys
    return variables


def addresses() -> dict[str, str]:
    """Of the same variables, where MLflow and the master of a cluster are: nobody's keys."""
    state = StateFolder()
    variables: dict[str, str] = {}
    for variable, server in (("MLFLOW_TRACKING_URI", servers.MLFLOW), ("REGATTA_MASTER", servers.MASTER)):
        if server.running(state) and not os.environ.get(variable):
            variables[variable] = server.address(state)
    return variables


def mlflow() -> str | None:
    """Where MLflow answers: the user's own, else the one that is up here."""
    return os.environ.get("MLFLOW_TRACKING_URI") or addresses().get("MLFLOW_TRACKING_URI")


def console_address() -> str:
    """Where MinIO's console answers while MinIO is up; its root account stands in credentials.json."""
    return f"http://{servers.HOST}:{StateFolder().port(ports.S3_CONSOLE.name)}"


def airflow_command_line(words: Sequence[str]) -> int:
    """Run Airflow's own command line in the environment of the one here; its exit code.

    Raises:
        InputError: Airflow is not installed, or has never been up here.
    """
    return airflow_servers.command_line(StateFolder(), words)


def notebook_address() -> str:
    """Where JupyterLab is, with the token that opens it."""
    return jupyter.address(StateFolder())


def airflow_address() -> tuple[str, Path]:
    """Where Airflow's pages are, and the file with the password of its user admin."""
    state = StateFolder()
    return airflow_servers.API.address(state), airflow_servers.passwords(state)


def _start(
    several: list[Server] | tuple[Server, ...], state: StateFolder, say: Say, *, wait: bool = True
) -> None:
    fresh = [server for server in several if not server.running(state)]
    for server in fresh:
        server.begin(state, say)
    for server in several if wait else ():
        server.await_ready(state, say)
        address = server.address(state)
        say(
            f"{server.name}: {'up' if server in fresh else 'already up'}"
            + (f", {address}" if address else "")
        )


def _stop(server: Server, state: StateFolder, say: Say) -> bool:
    process = state.process(server.name)
    ended = process is not None and end(process)
    state.forget(server.name)
    if ended:
        say(f"{server.name}: ended")
    return ended


def _status(server: Server, state: StateFolder) -> ServerStatus:
    process = server.running(state)
    condition = "down" if process is None else "up" if server.is_ready(state) else "not answering"
    return ServerStatus(
        server.name,
        condition,
        process.pid if process else None,
        server.address(state),
        state.log(server.name),
    )


def _establish(state: StateFolder) -> None:
    """The bucket, and who may do what in it: what an older `.regatta` lacks is added."""
    root = state.credentials()
    establish(
        servers.MINIO.address(state),
        (root.access_key, root.secret_key),
        lake_root(),
        anew=state.make_identities(),
        secrets={one: state.identity(one).secret_key for one in Identity},
    )
