"""Commands that read what the lake holds, as tables for people or with --json for programs. No Spark."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import click
from pydantic_core import to_json
from rich.table import Table

from regatta.cli.use_case import UseCaseFile, use_case_argument
from regatta.errors import InputError
from regatta.evaluation import runs as trained
from regatta.lake import ChampionEntry, Lake, Run, layout
from regatta.lake.deliveries import deliveries
from regatta.reporting import tables
from regatta.runtime.progress import result
from regatta.scoring.batches import batches, in_service
from regatta.selection.leaderboard import Leaderboard, Standing

Row = dict[str, Any]
BESIDE_THE_KEY = ("prediction", "step", "model", "champion", "as_of", "reason")
"""Columns of scores that tell how a prediction came about, and not what it is about."""


# ---- what is read ----


def leaderboard(lake: Lake, run: str | None = None) -> Leaderboard:
    """The leaderboard of a run, by default the newest.

    Raises:
        InputError: if there is no such run, or none at all.
    """
    return Leaderboard.of(lake, trained.chosen(lake, run))


def runs(lake: Lake) -> list[Run]:
    """All runs, the newest first.

    Raises:
        InputError: if nothing has been trained.
    """
    trained.chosen(lake)
    return trained.runs(lake)


def history(lake: Lake) -> list[ChampionEntry]:
    """The champion log, the newest entry first.

    Raises:
        InputError: before the first promotion.
    """
    if not (entries := lake.champions.entries()):
        in_service(lake)
    return entries[::-1]


def scores(lake: Lake, head: int | None = 10) -> list[Row]:
    """Predictions, one row a key, in the order of the batches and of the keys in each.

    A key that was scored more than once shows the newest batch's: of the highest champion number, then of the
    latest publication. Rows of deliveries that were replaced are left out.

    Args:
        lake: the use case's.
        head: how many rows; None for all.

    Raises:
        InputError: if nothing has been scored.
    """
    name, source = lake.use_case.use_case, lake.use_case.source("score")
    valid = {one.delivery for one in deliveries(lake.store, source)} if source else set()
    found: dict[tuple[Any, ...], Row] = {}
    for batch in batches(lake):
        if batch.as_of is None and batch.delivery not in valid:
            continue
        for uri in lake.batches.paths(batch, layout.batch(batch.champion, batch.batch)):
            for row in _rows(lake.content(uri)):
                key = tuple(value for column, value in row.items() if column not in BESIDE_THE_KEY)
                found.setdefault(key, {**row, "champion": batch.champion, "batch": batch.batch})
                if len(found) == head:
                    return list(found.values())
    if not found:
        raise InputError("nothing has been scored yet", place=name, way_out=f"regatta score {name}")
    return list(found.values())


def _rows(parquet: bytes) -> list[Row]:
    from pyarrow.parquet import ParquetFile  # half a second that the other commands need not wait

    return [row for group in ParquetFile(BytesIO(parquet)).iter_batches() for row in group.to_pylist()]


# ---- the same as plain data ----


def plain_leaderboard(board: Leaderboard) -> Row:
    """For --json: full precision, the label's unit."""

    def line(rank: int, standing: Standing) -> Row:
        metrics = standing.folds[0].metrics if standing.folds else {}
        return {
            "rank": rank,
            "is_baseline": standing.is_baseline,
            "mean": {metric: standing.mean(metric) for metric in metrics},
            "spread": {metric: standing.spread(metric) for metric in metrics},
            "seconds": standing.seconds,
            **standing.model_dump(mode="json"),
        }

    standings = [line(rank, standing) for rank, standing in enumerate(board.standings, 1)]
    return {**board.model_dump(mode="json", exclude={"standings"}), "standings": standings}


def plain_runs(found: list[Run], reigning: str | None) -> list[Row]:
    """For --json: the records, less what the lake keeps for itself."""
    private = {"attempt", "files", "configuration"}
    return [
        {**run.model_dump(mode="json", exclude=private), "reigns": run.run_id == reigning} for run in found
    ]


def plain_history(entries: list[ChampionEntry]) -> list[Row]:
    """For --json: the entries as they stand in the log."""
    return [entry.model_dump(mode="json", exclude={"attempt"}) for entry in entries]


# ---- commands ----

_json = click.option("--json", "as_json", is_flag=True, help="Full precision, for programs.")


@click.command("leaderboard")
@use_case_argument
@click.option("--run", "run_id", metavar="RUN", help="By default the newest.")
@_json
def leaderboard_command(file: UseCaseFile, run_id: str | None, as_json: bool) -> None:
    """Show every candidate of a training, best first."""
    board = leaderboard(file.lake("leaderboard"), run_id)
    _show(as_json, lambda: plain_leaderboard(board), lambda: tables.leaderboard(board))


@click.command("runs")
@use_case_argument
@_json
def runs_command(file: UseCaseFile, as_json: bool) -> None:
    """Show all trainings, newest first."""
    lake = file.lake("runs")
    found, reigning = runs(lake), lake.champions.reigning()
    name = reigning.run_id if reigning else None
    _show(as_json, lambda: plain_runs(found, name), lambda: tables.runs(found, file.use_case, name))


@click.command("history")
@use_case_argument
@_json
def history_command(file: UseCaseFile, as_json: bool) -> None:
    """Show the champion log, newest first."""
    entries = history(file.lake("history"))
    _show(as_json, lambda: plain_history(entries), lambda: tables.history(entries))


@click.command("scores")
@use_case_argument
@click.option("--head", default=10, show_default=True, type=click.IntRange(min=1), help="How many rows.")
@_json
def scores_command(file: UseCaseFile, head: int, as_json: bool) -> None:
    """Show predictions, one row a key, newest first."""
    rows = scores(file.lake("scores"), head)
    _show(as_json, lambda: rows, lambda: tables.scores(rows, file.use_case))


def _show(as_json: bool, plain: Callable[[], object], table: Callable[[], Table]) -> None:
    if as_json:
        result(to_json(plain(), indent=2, inf_nan_mode="null").decode())
    else:
        tables.paper().print(table())


READERS: tuple[click.Command, ...] = (leaderboard_command, runs_command, history_command, scores_command)
