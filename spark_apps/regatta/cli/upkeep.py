"""What keeps a lake sound: `verify` looks whether all is as published, `gc` removes what nobody needs. No Spark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import click
from rich.table import Table

from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.errors import Fault, FaultyInput
from regatta.lake.audit import audit
from regatta.lake.leftovers import ABANDONED, QUIET, Fate, Leftover, leftovers, remove
from regatta.reporting import tables
from regatta.runtime.progress import result, say, step

SHOWN = 20  # lines of what is found; the rest is counted


@click.command()
@use_case_argument
def verify(file: UseCaseFile) -> None:
    """Read all that was published, and say what is not as it was.

    Every delivery, verdict, run, batch and champion: files against the hashes in their records, rows against what the
    records count.
    """
    lake = file.lake("verify")
    with step("reading all that was published"):
        found = audit(lake)
    looked_at = ", ".join(f"{kind} {count:,}" for kind, count in found.looked_at.items() if count)
    if found.findings:
        faults = [Fault(one.place, "", one.fact) for one in found.findings[:SHOWN]]
        if (more := len(found.findings) - SHOWN) > 0:
            faults.append(Fault(f"and {more:,} more", "", "mend these first"))
        raise FaultyInput(f"{len(found.findings):,} not as published (looked at: {looked_at})", faults)
    result(f"all is as it was published: {looked_at}" if looked_at else "nothing has been published yet")


@click.command()
@use_case_argument
@click.option("--delete", is_flag=True, help="Remove what is removable; without it, gc only shows.")
def gc(file: UseCaseFile, delete: bool) -> None:
    """Show what attempts left behind, and remove it with --delete.

    What a record or the champion log needs is never touched; nor is anything that a job may still be writing, or a
    reader reading.
    """
    lake, now = file.lake("gc"), datetime.now(UTC)
    found = leftovers(lake)
    if not found:
        result("no attempt has left anything")
        return
    tables.paper().print(_table(found, now))
    due = [one for one in found if one.is_removable(now)]
    if not due:
        decided, undecided = (limit.total_seconds() / 3600 for limit in (QUIET, ABANDONED))
        result(f"nothing is removable yet: what is decided stays {decided:.0f} h, the rest {undecided:.0f} h")
    elif not delete:
        result(f"{_size(due)} could go: regatta gc {file.called} --delete")
    else:
        with step("removing"):
            for one in due:
                remove(lake, one)
        result(f"{_size(due)} removed")
    if waiting := sum(one.fate is Fate.NOT_VISIBLE_YET for one in found):
        say(f"{waiting} published and not all visible: the next job of the same verb finishes them")


def _table(found: Iterable[Leftover], now: datetime) -> Table:
    table = Table()
    for heading in ("attempt", "what became of it"):
        table.add_column(heading)
    for heading in ("objects", "MB", "pending uploads", "hours old"):
        table.add_column(heading, justify="right")
    table.add_column("removable")
    for one in found:
        table.add_row(
            one.attempt if "/" in one.attempt else one.attempt[:8],
            one.fate,
            f"{len(one.objects):,}",
            f"{one.bytes / 1e6:,.1f}",
            f"{len(one.uploads):,}",
            f"{(now - one.newest).total_seconds() / 3600:,.1f}",
            "yes" if one.is_removable(now) else "no",
        )
    return table


def _size(due: list[Leftover]) -> str:
    megabytes = sum(one.bytes for one in due) / 1e6
    uploads = sum(len(one.uploads) for one in due)
    pending = f" and {uploads:,} pending uploads" if uploads else ""
    return f"{sum(len(one.objects) for one in due):,} objects ({megabytes:,.1f} MB){pending} of {len(due)} attempts"
