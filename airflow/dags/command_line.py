"""How tasks reach the lake: its keys, which stand in a connection, and `regatta`, which is first on PATH.

The connection `regatta_lake` has the access key as its login, the secret key as its password, and as extra
`endpoint_url`, `region_name`, `session_token` and `lake` (s3a://bucket/prefix), as far as there are such. Where there
is one of the verb's identity (`regatta_lake_training`, `_scoring`, `_reader`), that one is taken. Without any, jobs
find the lake as any other process does: by their environment, or the role of their machine.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException

PROJECT = Path(__file__).resolve().parents[2]
LAKE = "regatta_lake"
OUT_OF_REACH = 4


def lake_variables(verb: str) -> dict[str, str]:
    """A verb's connection as the variables that jobs read. They go into a process and nowhere else."""
    from regatta.runtime.identities import identity_of

    connection = _connection(f"{LAKE}_{identity_of(verb)}") or _connection(LAKE)
    if connection is None:
        return {}
    extra = connection.extra_dejson
    told = {
        "AWS_ACCESS_KEY_ID": connection.login,
        "AWS_SECRET_ACCESS_KEY": connection.password,
        "AWS_ENDPOINT_URL": extra.get("endpoint_url"),
        "AWS_SESSION_TOKEN": extra.get("session_token"),
        "AWS_REGION": extra.get("region_name"),
        "REGATTA_LAKE": extra.get("lake"),
    }
    return {name: value for name, value in told.items() if value}


def _connection(name: str) -> Connection | None:
    try:
        return BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return None


def regatta(verb: str, *words: str) -> str:
    """What `regatta VERB ...` prints.

    Raises:
        AirflowException: the lake is out of reach; trying again may help.
        AirflowFailException: anything else is wrong.
    """
    done = subprocess.run(
        ["regatta", verb, *words],
        env={**os.environ, **lake_variables(verb)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout
    kind = AirflowException if done.returncode == OUT_OF_REACH else AirflowFailException
    raise kind(done.stderr.strip() or f"regatta {verb} ended with {done.returncode}")
