"""How much memory Spark gets: its own default of 1 GB is too little for a forest of forty thousand rows."""

from __future__ import annotations

import os
import re
from pathlib import Path

from regatta.errors import InputError

_SPARK_SIZE = re.compile(r"[1-9][0-9]*[kmgt]b?", re.IGNORECASE)
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_CGROUP_USED = Path("/sys/fs/cgroup/memory.current")
_MEMINFO = Path("/proc/meminfo")


def driver_memory() -> str:
    """Spark's size string for the driver: `REGATTA_DRIVER_MEMORY`, else a quarter of the machine, 1 to 8 GB.

    Raises:
        InputError: the variable is no size that Spark can read.
    """
    return _chosen("REGATTA_DRIVER_MEMORY") or _share(of=4, at_most=8)


def executor_memory() -> str:
    """Spark's size string for an executor: `REGATTA_EXECUTOR_MEMORY`, else an eighth, 1 to 4 GB.

    Raises:
        InputError: the variable is no size that Spark can read.
    """
    return _chosen("REGATTA_EXECUTOR_MEMORY") or _share(of=8, at_most=4)


def machine_memory() -> int:
    """Bytes this process may use: the machine's, or its container's limit where that is lower."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.exists() else "max"
    return physical if limit == "max" else min(physical, int(limit))


def available_memory() -> int:
    """Bytes that could be had now without swapping: of the machine, and within its container's limit.

    Half of the machine's where the system does not say.
    """
    told = (
        re.search(r"^MemAvailable:\s+(\d+) kB$", _MEMINFO.read_text(), re.MULTILINE)
        if _MEMINFO.exists()
        else None
    )
    free = int(told[1]) * 1024 if told else machine_memory() // 2
    limit = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.exists() else "max"
    return free if limit == "max" else min(free, int(limit) - int(_CGROUP_USED.read_text()))


def _chosen(variable: str) -> str:
    value = os.environ.get(variable, "")
    if value and not _SPARK_SIZE.fullmatch(value):
        raise InputError(
            f"{value!r} is no amount of memory", place=variable, way_out="write it like 4g or 1500m"
        )
    return value


def _share(*, of: int, at_most: int) -> str:
    mebibytes = machine_memory() // of // 2**20
    return f"{min(max(mebibytes, 1024), at_most * 1024)}m"
