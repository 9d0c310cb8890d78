"""What the readers show to people: figures with their units, thousands apart."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from regatta.config import UseCase
from regatta.config.race import LARGER_IS_BETTER, Metric
from regatta.evaluation.figures import number, shown, unit_of
from regatta.lake import Batch, ChampionEntry, Ingested, Run
from regatta.selection.leaderboard import Leaderboard

WIDE = 200  # columns, where no terminal cuts a table
BESIDE = ("r2", "mae", "mape")  # shown beside the metric that decides
BESIDE_OF_A_PANEL = ("rmse", "smape", "mase", "bias")


def paper() -> Console:
    """Standard output: as wide as its terminal is, and elsewhere so wide that no table is cut."""
    return Console(width=None if sys.stdout.isatty() else WIDE)


def leaderboard(board: Leaderboard) -> Table:
    """A line a candidate: means over the folds, the metric's spread, fit seconds, and the finalists' holdout.

    Where folds are origins along a calendar, each has a column; and each candidate its error against the best
    baseline's.
    """
    columns = BESIDE_OF_A_PANEL if board.folds else BESIDE
    beside = [metric for metric in columns if metric != board.metric]
    direction = "most" if board.metric in LARGER_IS_BETTER else "least"
    table = _table(
        f"{board.use_case}, run {board.run_id}: means over the folds, {direction} {board.metric} first",
        left=("candidate",),
        right=(
            _headed(board.metric, board.unit),
            "spread",
            *(f"to {fold}" for fold in board.folds),
            *(["vs best baseline"] if board.best_baseline else []),
            *(_headed(metric, board.unit) for metric in beside),
            "seconds",
            _headed(f"holdout {board.metric}", board.unit, board.metric),
            *(["holdout r2"] if board.metric != "r2" else []),
        ),
        ranked=True,
    )
    for rank, standing in enumerate(board.standings, 1):
        held_out = standing.holdout
        on_holdout = [board.metric] if board.metric == "r2" else [board.metric, "r2"]
        _add(
            table,
            str(rank),
            f"{standing.candidate} (baseline)" if standing.is_baseline else standing.candidate,
            _bare(board.metric, standing.mean(board.metric)),
            _bare(board.metric, standing.spread(board.metric)),
            *(
                _bare(board.metric, standing.folds[number].metrics.get(board.metric))
                for number in range(len(board.folds))
            ),
            *([_reduced(board.reduction(standing))] if board.best_baseline else []),
            *(_bare(metric, standing.mean(metric)) for metric in beside),
            f"{standing.seconds:,.1f}",
            *(_bare(metric, held_out.get(metric)) if held_out is not None else "" for metric in on_holdout),
            style="dim" if standing.is_baseline else None,
        )
    return table


def runs(found: Iterable[Run], use_case: UseCase, reigning: str | None) -> Table:
    """A line a run; figures are the winner's on the run's own holdout."""
    metric, unit = use_case.metric, use_case.modelled.columns[use_case.label].unit
    other: Metric = "rmse" if metric == "r2" else "r2"
    table = _table(
        f"{use_case.use_case}: runs, newest first",
        left=("run", "winner"),
        right=(
            _headed(f"holdout {metric}", unit, metric),
            _headed(f"holdout {other}", unit, other),
            "trained on",
            "held out",
            "seconds",
        ),
        last=("as of", "trained", ""),
    )
    for run in found:
        _add(
            table,
            run.run_id,
            run.winner,
            _bare(metric, run.metrics.get(metric)),
            _bare(other, run.metrics.get(other)),
            *(f"{run.rows[part]:,}" if part in run.rows else "" for part in ("trained_on", "held_out")),
            f"{run.seconds:,.0f}",
            _time(run.as_of),
            _time(run.published_at),
            "reigns" if run.run_id == reigning else "",
        )
    return table


def history(entries: Iterable[ChampionEntry]) -> Table:
    """A line an entry of the champion log."""
    table = _table(
        "champions, newest first",
        left=("", "action", "run", "since"),
        right=(),
        last=("reason",),
        ranked=True,
    )
    reigning = next((entry.number for entry in entries if entry.kind == "service"), None)
    for entry in entries:
        _add(
            table,
            str(entry.number),
            "reigns" if entry.number == reigning else "",
            entry.action if entry.kind == "service" else f"{entry.action} ({entry.kind})",
            entry.run_id,
            _time(entry.effective),
            entry.reason,
        )
    return table


def deliveries(records: Sequence[Ingested], newest: int) -> Table:
    """A line for each of the newest deliveries, and one for all of them together."""
    table = _table(
        f"{len(records):,} deliveries, the newest first",
        left=("delivery", "delivered"),
        right=("rows", "accepted", "rejected"),
        last=("why",),
    )
    for record in records[:newest]:
        commonest = sorted(record.reasons.items(), key=lambda reason: (-reason[1], reason[0]))[:2]
        why = record.refused or "; ".join(f"{name}: {count:,}" for name, count in commonest)
        rejected = "all" if record.refused else f"{record.rejected:,}"
        counts = (f"{record.rows:,}", f"{record.accepted:,}", rejected)
        _add(table, record.delivery, _time(record.delivered_at), *counts, why)
    taken = [record for record in records if not record.refused]
    sums = (sum(getattr(record, name) for record in taken) for name in ("rows", "accepted", "rejected"))
    refused = len(records) - len(taken)
    _add(table, "all", "", *(f"{total:,}" for total in sums), f"{refused:,} refused whole" if refused else "")
    return table


def batches(found: Iterable[Batch]) -> Table:
    """A line a batch."""
    table = _table("scored", left=("batch",), right=("champion", "rows", "scored", "without a prediction"))
    for batch in found:
        counts = (batch.champion, batch.rows, batch.scored, batch.unscorable)
        _add(table, batch.batch, *(f"{count:,}" for count in counts))
    return table


def plain(table: Table) -> dict[str, Any]:
    """A table for programs: its title, headings, which columns hold figures, and the texts of its cells."""
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return {
        "title": str(table.title),
        "headings": [str(column.header) for column in table.columns],
        "figures": [column.justify == "right" for column in table.columns],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }


def scores(rows: Sequence[Mapping[str, Any]], use_case: UseCase) -> Table:
    """A line a key: its prediction in the label's unit, and who predicted."""
    unit = use_case.modelled.columns[use_case.label].unit
    beside = ("prediction", "champion", "batch", "model", "as_of", "reason")
    keys = [name for name in rows[0] if name not in beside]
    table = _table(
        f"{use_case.use_case}: {use_case.label} as predicted",
        left=keys,
        right=(f"prediction ({unit})" if unit else "prediction", "champion"),
        last=("batch",),
    )
    for row in rows:
        prediction = row["prediction"]
        _add(
            table,
            *(str(row.get(name, "")) for name in keys),
            number(prediction) if prediction is not None else "",
            str(row["champion"]),
            row["batch"],
        )
    return table


def _table(
    title: str, left: Iterable[str], right: Iterable[str], last: Iterable[str] = (), *, ranked: bool = False
) -> Table:
    table = Table(title=Text(title), title_justify="left")
    if ranked:
        table.add_column("#", justify="right", no_wrap=True)
    for name in left:
        table.add_column(Text(name))
    for name in right:
        table.add_column(Text(name), justify="right")
    for name in last:
        table.add_column(Text(name))
    return table


def _add(table: Table, *cells: str, style: str | None = None) -> None:
    """A row of plain text: what stands in brackets in somebody's data is not markup."""
    table.add_row(*map(Text, cells), style=style)


def _headed(heading: str, unit: str | None, metric: str = "") -> str:
    unit = unit_of(metric or heading, unit)
    return f"{heading} ({unit})" if unit else heading


def _bare(metric: str, value: float | None) -> str:
    """A figure under a heading that has its unit."""
    return shown(metric, value, None)


def _reduced(share: float | None) -> str:
    """By how much the error is smaller than the best baseline's, as `-12.3 %`."""
    return "" if share is None else f"{0.0 - 100 * share:+.1f} %"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
