"""The verbs that run on Spark: each builds the spark-submit line of its job, and shows or runs it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.errors import ExitCode
from regatta.runtime.progress import result
from regatta.runtime.submit import command, shown, submit

_as_of = click.option("--as-of", metavar="INSTANT", help="Read nothing that was delivered later (ISO 8601).")
_dry_run = click.option("--dry-run", is_flag=True, help="Print the spark-submit line, and do not run it.")


def run(verb: str, file: UseCaseFile, dry_run: bool = False, **flags: str | None) -> int:
    """Run a verb's job; its exit code is the answer.

    Args:
        verb: the script in spark_apps/.
        file: the use case.
        dry_run: print the line instead.
        flags: the job's own, by name; those that are None are left out.
    """
    arguments: list[str] = []
    for name, value in flags.items():
        arguments += [f"--{name.replace('_', '-')}", value] if value is not None else []
    words = command(verb, file.path, arguments)
    if dry_run:
        result(shown(words))
        return ExitCode.DONE
    file.lake(verb)  # an address or keys that are wrong are told before the seconds that a JVM takes
    return submit(verb, words)


@click.command()
@use_case_argument
@_as_of
@_dry_run
def ingest(file: UseCaseFile, as_of: str | None, dry_run: bool) -> int:
    """Check all new deliveries: typed rows, and rejected ones with their reasons."""
    return run("ingest", file, dry_run, as_of=as_of)


@click.command()
@use_case_argument
@click.option(
    "--candidates", metavar="FAMILY,...", help="Of these families alone; by default all of the file's."
)
@_as_of
@_dry_run
def train(file: UseCaseFile, candidates: str | None, as_of: str | None, dry_run: bool) -> int:
    """Race the candidates and publish a run."""
    return run("train", file, dry_run, candidates=candidates, as_of=as_of)


@click.command()
@use_case_argument
@click.option("--run", "run_id", metavar="RUN", help="By default the newest.")
@click.option("--force", metavar="REASON", help="Whatever the gate says, for a reason that is logged.")
@click.option(
    "--kind",
    type=click.Choice(["service", "backfill"]),
    help="backfill: it reigns in the past alone, from --as-of on, and today's champion stays.",
)
@_as_of
@_dry_run
def promote(
    file: UseCaseFile,
    run_id: str | None,
    force: str | None,
    kind: str | None,
    as_of: str | None,
    dry_run: bool,
) -> int:
    """Let a run challenge the champion on the rows that both held out."""
    return run("promote", file, dry_run, run=run_id, force=force, kind=kind, as_of=as_of)


@click.command()
@use_case_argument
@click.option("--delivery", metavar="ID", help="By default all that nobody has scored yet, and the newest.")
@click.option("--champion", metavar="N", help="By default the one in service.")
@_as_of
@_dry_run
def score(
    file: UseCaseFile, delivery: str | None, champion: str | None, as_of: str | None, dry_run: bool
) -> int:
    """Predict new rows with the reigning champion."""
    return run("score", file, dry_run, delivery=delivery, champion=champion, as_of=as_of)


@click.command()
@use_case_argument
@click.argument("run_id", metavar="[RUN]", required=False)
@_dry_run
def reproduce(file: UseCaseFile, run_id: str | None, dry_run: bool) -> int:
    """Train a run, by default the newest, again, publishing nothing, and say whether the same came out."""
    return run("reproduce", file, dry_run, run=run_id)


VERB_COMMANDS: Sequence[click.Command] = (ingest, train, promote, score, reproduce)
