"""Bring files into the lake as deliveries."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.config.table import Role
from regatta.errors import InputError
from regatta.lake.landing import land as land_delivery
from regatta.runtime.instants import instant
from regatta.runtime.progress import console, result

FROM_NAME = "from-name"
_DAY_OR_MONTH = re.compile(r"\d{4}-\d{2}(-\d{2})?")


@click.command()
@use_case_argument
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--delivery", metavar="ID", help="Names the delivery that the files make together.")
@click.option("--each", is_flag=True, help="One delivery a file, named by it.")
@click.option("--role", type=click.Choice(["train", "score"]), default="train", show_default=True)
@click.option(
    "--delivered-at",
    metavar="INSTANT",
    help="For history (ISO 8601), or `from-name`: the end of the day or month that the file is named by.",
)
@click.option(
    "--replaces", metavar="DELIVERY", help="The delivery of the same source that this one corrects."
)
def land(
    file: UseCaseFile,
    files: Sequence[str],
    delivery: str | None,
    each: bool,
    role: Role,
    delivered_at: str | None,
    replaces: str | None,
) -> None:
    """Upload files (or take s3:// objects) as a delivery, which is never changed afterwards."""
    if each == bool(delivery):
        raise InputError(
            "a delivery needs one name", way_out="give --delivery ID, or --each to name it by its file"
        )
    groups = (
        {Path(name).name.split(".")[0]: [name] for name in files} if each else {str(delivery): list(files)}
    )
    if len(groups) < len(files) and each:
        raise InputError(
            "two of the files have the same name", way_out="land them with --delivery, or rename one"
        )
    for name, members in groups.items():
        moment = _moment(delivered_at, name)
        result(land_files(file, members, delivery=name, role=role, delivered_at=moment, replaces=replaces))


def land_files(
    file: UseCaseFile,
    files: Sequence[str],
    *,
    delivery: str,
    role: Role,
    delivered_at: datetime | None,
    replaces: str | None = None,
) -> str:
    """Land one delivery with a bar for what takes long; say what became of it."""
    given = [name if "://" in name else Path(name) for name in files]
    total = 2 * sum(path.stat().st_size for path in given if isinstance(path, Path) and path.is_file())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"landing {delivery}", total=total or None)
        record, written = land_delivery(
            file.lake("land").store,
            file.use_case,
            given,
            delivery=delivery,
            role=role,
            delivered_at=delivered_at,
            replaces=replaces,
            progress=lambda count: bar.advance(task, count),
        )
    rows = [found.rows for found in record.files]
    counted = (
        f"{sum(count or 0 for count in rows):,} rows" if None not in rows else "rows that cannot be counted"
    )
    return f"{delivery}: {'landed' if written else 'there already'}, {len(rows)} file(s), {counted}"


def _moment(given: str | None, delivery: str) -> datetime | None:
    if given is None:
        return None
    if given != FROM_NAME:
        return instant(given, place="--delivered-at")
    return end_of(delivery)


def end_of(delivery: str) -> datetime:
    """The last second of the day or month that a delivery is named by, in UTC.

    Raises:
        InputError: if it is named by neither.
    """
    match = _DAY_OR_MONTH.match(delivery)
    if not match:
        raise InputError(
            f"{delivery!r} does not begin with a day or month like 2015-04-30 or 2015-04",
            place="--delivered-at from-name",
        )
    year, month, *day = map(int, match[0].split("-"))
    try:
        last = day[0] if day else calendar.monthrange(year, month)[1]
        return datetime(year, month, last, 23, 59, 59, tzinfo=UTC)
    except (ValueError, calendar.IllegalMonthError):
        raise InputError(f"{match[0]} is no day or month", place=delivery) from None
