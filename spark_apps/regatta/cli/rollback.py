"""Put an earlier champion back into service. No Spark."""

from __future__ import annotations

import click

from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.errors import InputError
from regatta.lake import LostRace, layout
from regatta.runtime import tracking
from regatta.runtime.local import embedded
from regatta.runtime.progress import result


@click.command("rollback")
@use_case_argument
@click.option("--to", type=int, metavar="N", help="The champion to return to; by default the one before.")
@click.option("--reason", default="no reason given", help="For whoever reads the history.")
def rollback(file: UseCaseFile, to: int | None, reason: str) -> None:
    """Put an earlier champion back into service.

    Appends an entry to the champion log; rolling back twice goes back two.
    """
    lake = file.lake("rollback")
    try:
        entry = lake.champions.rollback(reason, to)
    except LostRace:
        raise InputError(
            "another champion was put into service meanwhile",
            place=file.name,
            way_out=f"see regatta history {file.name}, then decide again",
        ) from None
    if run := lake.run(entry.run_id):
        model = lake.uri(f"{layout.run(run.run_id)}{entry.model}")
        tracking.champion(file.use_case, run, entry, model, embedded.mlflow())
    result(f"run {entry.run_id} is champion {entry.number}: {entry.reason}")
