"""What tests ask of the machine they run on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens, all different."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


def command_lines() -> str:
    """The command lines of all processes that may be read, one a line."""
    lines = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                lines.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue  # it ended meanwhile
    return "\n".join(lines)


@contextmanager
def of_the_tests(variables: dict[str, str]) -> Iterator[None]:
    """Set `variables`, and hide whatever points at servers of the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if (
                name.startswith(("AIRFLOW", "AWS_", "MLFLOW_TRACKING_", "REGATTA_"))
                and name != "REGATTA_MINIO"
            ):
                patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
