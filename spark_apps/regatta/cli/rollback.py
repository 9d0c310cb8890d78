"""Put an earlier champion back into service. No Spark."""

from __future__ import annotations

import click

from regatta.cli.use_case import UseCaseFile, use_case_argument


@click.command("rollback")
@use_case_argument
@click.option("--to", type=int, metavar="N", help="The champion to return to; by default the one before.")
@click.option("--reason", default="no reason given", help="For whoever reads the history.")
def rollback(file: UseCaseFile, to: int | None, reason: str) -> None:
    """Put an earlier champion back into service.

    Appends an entry to the champion log; rolling back twice goes back two.
    """
    # pyspark's seconds, which the other commands need not wait
    from regatta.evaluation.promotion import roll_back

    roll_back(file.lake("rollback"), reason, to)
