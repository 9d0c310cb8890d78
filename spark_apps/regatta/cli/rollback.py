"""Put an earlier champion back into service. No Spark."""

from __future__ import annotations

import click

from regatta.cli.readers import UseCaseFile
from regatta.config import UseCase
from regatta.errors import InputError
from regatta.lake import Lake, LostRace, layout
from regatta.runtime import tracking
from regatta.runtime.progress import result


@click.command("rollback")
@click.argument("use_case", type=UseCaseFile(), metavar="USE_CASE")
@click.option("--to", type=int, metavar="N", help="The champion to return to; by default the one before.")
@click.option("--reason", default="no reason given", help="For whoever reads the history.")
def rollback(use_case: UseCase, to: int | None, reason: str) -> None:
    """Put an earlier champion back into service.

    Appends an entry to the champion log; rolling back twice goes back two.
    """
    lake, name = Lake.of(use_case), use_case.use_case
    try:
        entry = lake.champions.rollback(reason, to)
    except LostRace:
        raise InputError(
            "another champion was put into service meanwhile",
            place=name,
            way_out=f"see regatta history {name}, then decide again",
        ) from None
    if run := lake.run(entry.run_id):
        tracking.champion(use_case, run, entry, lake.uri(f"{layout.run(run.run_id)}model"))
    result(f"run {entry.run_id} is champion {entry.number}: {entry.reason}")
