"""What a mail after a run is made of: the champion, the leaderboard's first lines, rows in, rejected and scored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click
from pydantic_core import to_json
from rich.table import Table

from regatta.cli.readers import leaderboard
from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.config.table import Role
from regatta.errors import InputError
from regatta.lake import Batch, ChampionEntry, Ingested, Lake, layout
from regatta.lake.deliveries import deliveries
from regatta.reporting import tables
from regatta.runtime.instants import instant
from regatta.runtime.progress import result
from regatta.scoring.batches import in_service

FIRST = 5  # lines of the leaderboard
NEWEST = 5  # deliveries


def champion(lake: Lake, as_of: datetime | None) -> ChampionEntry:
    """The champion in service, or the one that reigned at an instant of the past.

    Raises:
        InputError: nobody does, or did.
    """
    if as_of is None:
        return in_service(lake)
    if (entry := lake.champions.reigned(as_of)) is None:
        name = lake.use_case.use_case
        raise InputError(
            f"there was no champion yet at {as_of:%Y-%m-%d %H:%M}",
            place=name,
            way_out=f"regatta promote {name} --as-of INSTANT --kind backfill lets one reign in that past",
        )
    return entry


def verdicts(lake: Lake, role: Role, as_of: datetime | None) -> list[Ingested]:
    """What became of a source's deliveries under the present contract, the newest first."""
    source = lake.use_case.source(role)
    if source is None:
        return []
    known = lake.ingested.all(layout.accepted(lake.use_case.contract))
    landed = deliveries(lake.store, source, as_of)
    found = (known.get(f"delivery={one.delivery}") for one in reversed(landed))
    return [record for record in found if record is not None]


def batches_of(lake: Lake, champion: int, wanted: Sequence[str]) -> list[Batch]:
    """The records of batches that a champion scored.

    Raises:
        InputError: if it has scored no such batch.
    """
    found = []
    for name in wanted:
        record = lake.batches.get(layout.batch(champion, name))
        if record is None:
            raise InputError(f"champion {champion} has no batch {name}", place=lake.use_case.use_case)
        found.append(record)
    return found


def summary(
    lake: Lake, run: str | None, as_of: datetime | None, champion: int | None, batches: Sequence[str]
) -> list[Table]:
    """Of a training, or of batches where some are named.

    Raises:
        InputError: what was named is not there.
    """
    if batches:
        number = champion if champion is not None else in_service(lake).number
        scored = tables.batches(batches_of(lake, number, batches))
        return [scored, tables.deliveries(verdicts(lake, "score", as_of), NEWEST)]
    board = leaderboard(lake, run)
    first = board.model_copy(update={"standings": board.standings[:FIRST]})
    return [tables.leaderboard(first), tables.deliveries(verdicts(lake, "train", as_of), NEWEST)]


def _there_is_one(lake: Lake, as_of: datetime | None) -> bool:
    return (lake.champions.reigned(as_of) if as_of else lake.champions.reigning()) is not None


def _instant(given: str | None) -> datetime | None:
    return instant(given, place="--as-of") if given else None


@click.command("champion")
@use_case_argument
@click.option("--as-of", metavar="INSTANT", help="Who reigned then (ISO 8601); by default who is in service.")
@click.option("--number", type=int, metavar="N", help="The entry of this number.")
@click.option("--json", "as_json", is_flag=True, help="Full precision, for programs.")
def champion_command(file: UseCaseFile, as_of: str | None, number: int | None, as_json: bool) -> None:
    """Show the champion in service, or of an instant of the past; with --json null where there is none."""
    lake, moment = file.lake("champion"), _instant(as_of)
    if as_json and number is None and not _there_is_one(lake, moment):
        result("null")
        return
    entry = champion(lake, moment) if number is None else lake.champions.entry(number)
    if as_json:
        result(entry.model_dump_json(indent=2, exclude={"attempt"}))
        return
    result(
        f"champion {entry.number} of {file.name}: run {entry.run_id}, since {entry.effective:%Y-%m-%d %H:%M}"
    )
    result(f"  {entry.reason}")


@click.command("summary")
@use_case_argument
@click.option("--run", metavar="RUN", help="Of this training; by default the newest.")
@click.option("--as-of", metavar="INSTANT", help="Of what had been delivered then (ISO 8601).")
@click.option(
    "--champion", type=int, metavar="N", help="Who scored the batches; by default who is in service."
)
@click.option("--batch", "batches", multiple=True, metavar="ID", help="Of this batch instead of a training.")
@click.option("--json", "as_json", is_flag=True, help="Titles, headings and cells, for programs.")
def summary_command(
    file: UseCaseFile,
    run: str | None,
    as_of: str | None,
    champion: int | None,
    batches: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what a mail after a training or a scoring says: figures, rows in, rejected and scored."""
    found = summary(file.lake("summary"), run, _instant(as_of), champion, batches)
    if as_json:
        result(to_json([tables.plain(table) for table in found], indent=2).decode())
        return
    console = tables.paper()
    for table in found:
        console.print(table)
