"""Ports: the user's choice, else the one of last time, else the usual one, else any that is free."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from regatta.errors import InputError
from regatta.runtime.local.state import StateFolder


@dataclass(frozen=True)
class Port:
    """A port of a server: its name in the state folder, the variable that chooses it, the usual number."""

    name: str
    variable: str
    usual: int


S3 = Port("s3", "REGATTA_S3_PORT", 9000)
S3_CONSOLE = Port("s3-console", "REGATTA_S3_CONSOLE_PORT", 9001)
MLFLOW = Port("mlflow", "REGATTA_MLFLOW_PORT", 5000)
SPARK = Port("spark", "REGATTA_SPARK_PORT", 7077)
SPARK_UI = Port("spark-ui", "REGATTA_SPARK_UI_PORT", 8080)
AIRFLOW = Port("airflow", "REGATTA_AIRFLOW_PORT", 8088)
JUPYTER = Port("jupyter", "REGATTA_JUPYTER_PORT", 8888)


def assign(state: StateFolder, port: Port) -> int:
    """Choose a port for a server about to start, and remember it.

    Raises:
        InputError: the user chose one that is occupied, or no port at all.
    """
    number = _chosen(port) or _free(state, port)
    state.remember_port(port.name, number)
    return number


def is_free(number: int) -> bool:
    """Whether nothing listens on this machine's port."""
    with socket.socket() as probe:
        # A listener on all addresses lets some systems bind 127.0.0.1 beside it.
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", number)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def _chosen(port: Port) -> int | None:
    value = os.environ.get(port.variable)
    if not value:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise InputError(f"{value!r} is no port", place=port.variable, way_out="a number from 1 to 65535")
    if not is_free(int(value)):
        raise InputError(
            f"port {value} is occupied by another program",
            place=port.variable,
            way_out=f"set {port.variable} to another port, or unset it and a free one is taken",
        )
    return int(value)


def _free(state: StateFolder, port: Port) -> int:
    given = state.ports()
    others = {number for name, number in given.items() if name != port.name}
    for number in (given.get(port.name), port.usual):
        if number and number not in others and is_free(number):
            return number
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = int(probe.getsockname()[1])
        if number not in others:
            return number
