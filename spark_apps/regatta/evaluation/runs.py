"""Which runs there are, and which of them is meant. No Spark is needed here."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

from regatta.errors import InputError
from regatta.lake import Lake, Run, layout


def runs(lake: Lake, as_of: datetime | None = None) -> list[Run]:
    """All runs that read nothing delivered after `as_of`, the newest first."""
    parent = f"{PurePosixPath(layout.run('any')).parent}/"
    found = [run for run in lake.runs.all(parent).values() if as_of is None or run.as_of <= as_of]
    return sorted(found, key=lambda run: (run.as_of, run.published_at), reverse=True)


def chosen(lake: Lake, run_id: str | None = None, as_of: datetime | None = None) -> Run:
    """The run that is named, else the newest.

    Raises:
        InputError: if there is no such run, or none at all.
    """
    if run_id is not None and (run := lake.run(run_id)) is not None:
        return run
    name, found = lake.use_case.use_case, runs(lake, as_of)
    if not found:
        when = f" on what was delivered until {as_of:%Y-%m-%d %H:%M}" if as_of else ""
        raise InputError(f"nothing has been trained yet{when}", place=name, way_out=f"regatta train {name}")
    if run_id is not None:
        newest = ", ".join(run.run_id for run in found[:3])
        raise InputError(f"there is no run {run_id}", place=name, way_out=f"the newest are {newest}")
    return found[0]
